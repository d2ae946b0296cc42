import { reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { Connection } from '../stdio/process-io.ts';
import type { Exit } from './exit-status.ts';
import type { Process } from './launch.ts';
import type { Leftovers, Mark } from './orphans.ts';
import { signalGroup } from './process-group.ts';

/** A process of a module that was started, and what goes with it. */
export type Begun = {
  readonly launched: Process;
  readonly confined: Confinement;
  readonly mark: Mark;
  readonly environment: Record<string, string>;
  /** Those of its control group before. */
  readonly oomKills: number;
};

/**
 * Kills a process that the hub failed to look after, and all that it started; resolves when it has ended. However it did,
 * it did not end well.
 */
export async function abandon(
  { confined: { group }, mark, launched }: Begun,
  connection: Connection | undefined,
  leftovers: Leftovers,
  log: Log,
): Promise<Exit> {
  if (connection === undefined) signalGroup(launched.pid, 'SIGKILL');
  else connection.signal('SIGKILL');
  await launched.exited;
  await Promise.allSettled([connection?.ended]);
  try {
    if (group !== undefined) await leftovers.endGroup(group);
    await leftovers.endMarked(mark);
  } catch (error) {
    log.error(
      `What the module started may be left running (${reasonOf(error)}): look for it, and end it by hand.`,
    );
  }
  return { kind: 'signal', signal: 'SIGKILL' };
}
