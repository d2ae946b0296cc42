import { reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { ProcessIo } from '../stdio/process-io.ts';
import type { ExitStatus } from './exit-status.ts';
import type { LaunchedProcess } from './launch.ts';
import type { OrphanKiller, RunTag } from './orphans.ts';
import { signalProcessGroup } from './process-group.ts';

/** LaunchedProcess of a module that was started, with its cgroup, run tag and environment. */
export type StartedProcess = {
  readonly launched: LaunchedProcess;
  readonly confined: Confinement;
  readonly tag: RunTag;
  readonly environment: Record<string, string>;
  /** OOM kills of the cgroup before the start. */
  readonly oomKills: number;
};

/**
 * Kills a process, and all its descendants, after an internal error of the hub. Resolves when it has exited,
 * always as a failure.
 */
export async function killFailedStart(
  { confined: { group }, tag, launched }: StartedProcess,
  processIo: ProcessIo | undefined,
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
    log.error(`Child processes of the module may be left running (${reasonOf(error)}): end them by hand.`);
  }
  return { kind: 'signal', signal: 'SIGKILL' };
}
