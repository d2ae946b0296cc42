import { reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { ProcessIo } from '../stdio/process-io.ts';
import type { ExitStatus } from './exit-status.ts';
import type { LaunchedProcess } from './launched-process.ts';
import type { OrphanKiller, RunTag } from './orphans.ts';
import { signalProcessGroup } from './process-group.ts';

/** Started process of a module, with its confinement, run tag and environment. */
export type StartedProcess = {
  readonly launched: LaunchedProcess;
  readonly confined: Confinement;
  readonly tag: RunTag;
  readonly environment: Record<string, string>;
  /** Number of OOM kills in the cgroup before the start. */
  readonly oomKills: number;
};

/**
 * Kills a process and all its descendants after an internal error of the hub. Resolves to the exit status
 * SIGKILL when the process has exited.
 */
export async function killFailedStart(
  { confined: { group }, tag, launched }: StartedProcess,
  processIo: ProcessIo | undefined,
  module: string,
  orphans: OrphanKiller,
  log: Log,
): Promise<ExitStatus> {
  if (processIo === undefined) signalProcessGroup(launched.pid, 'SIGKILL');
  else processIo.signal('SIGKILL');
  await launched.exited;
  await Promise.allSettled([processIo?.ended]);
  try {
    if (group !== undefined) await orphans.killCgroup(group);
    await orphans.killTagged(tag);
  } catch (error) {
    log.error(
      `Cannot kill all child processes of module "${module}" (${reasonOf(error)}): kill them by hand.`,
    );
  }
  return { kind: 'signal', signal: 'SIGKILL' };
}
