import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { escapeHidden } from '../../core/text/escape.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { ExitStatus } from '../process/exit-status.ts';
import { describeExit, fromShellExitCode } from '../process/exit-status.ts';
import type { OrphanKiller } from '../process/orphans.ts';
import { pause } from '../process/pause.ts';
import { signalProcessGroup } from '../process/process-group.ts';
import { spawnIsolated } from '../process/spawn.ts';
import { findStartError, spawnError } from '../process/start-check.ts';
import { openStreams } from '../stdio/standard-streams.ts';
import type { Probe } from './health-monitor.ts';

/** Maximum bytes of a probe's output that are stored. Only the end of the output is stored. */
const MAX_TAIL_BYTES = 4_096;

/** Maximum characters of a probe's output that the reason of a failure contains. */
const MAX_SHOWN_CHARACTERS = 200;

/**
 * Maximum milliseconds to wait for the end of the output after the probe has exited. Child processes of the
 * probe can keep the output open.
 */
const OUTPUT_TIMEOUT_MS = 100;

export type ExecProbeSettings = {
  readonly module: string;
  readonly cwd: string;
  /** Environment of the module. */
  readonly environment: Record<string, string>;
  readonly confinement: Confinement;
  readonly orphans: OrphanKiller;
  readonly clock: Clock;
  /** Timeout of the probe in milliseconds. */
  readonly timeout: number;
};

/**
 * Runs a program that exits with 0 if the module is healthy. The program is confined like the module. When
 * the program ends, all its descendants are killed. The descendants are found by a child cgroup. If the
 * module has no cgroup, they are found by a run tag (an environment variable that descendants inherit).
 */
export function runExecProbe(exec: readonly string[], settings: ExecProbeSettings): Probe {
  const { clock } = settings;
  let leader: number | undefined;
  let cancelled = false;
  const cancel = (): void => {
    cancelled = true;
    if (leader !== undefined) signalProcessGroup(leader, 'SIGKILL');
  };

  const run = async (): Promise<string | undefined> => {
    const { cwd, environment, confinement, orphans, timeout } = settings;
    const tag = orphans.newTag(settings.module);
    const group = confinement.checkGroup();
    const env = group === undefined ? { ...environment, ...tag.environment } : environment;
    const startError = findStartError({ exec, cwd }, env, confinement.account);
    if (startError !== undefined) return startError.reason;
    const streams = await openStreams(false, confinement.account);
    let child: ChildProcess;
    try {
      child = spawnIsolated(confinement.command(exec, group), streams.childStdio, { cwd, env });
    } catch (error) {
      streams.close();
      if (systemCode(error) === undefined) throw error;
      return spawnError({ exec }, error, env).reason;
    }
    if (child.pid === undefined) {
      streams.close();
      return new Promise(resolve =>
        child.once('error', error => resolve(spawnError({ exec }, error, env).reason)),
      );
    }
    const { pid } = child;
    leader = pid;
    const { output, error } = streams.connect(child);
    const [out, err] = [tailOf(output), tailOf(error)];
    let timedOut = false;
    const cancelTimer = clock.after(timeout, () => {
      timedOut = true;
      signalProcessGroup(pid, 'SIGKILL');
    });
    if (cancelled) cancel();
    const exit = await exitOf(child);
    cancelTimer();
    // Kills the process group immediately, because the kernel can soon give the pid to another process.
    signalProcessGroup(pid, 'SIGKILL');
    leader = undefined;
    if (group !== undefined) await orphans.killCgroup(group);
    else await orphans.killTagged(tag);
    await pause(clock, OUTPUT_TIMEOUT_MS, Promise.all([out.over, err.over]));
    for (const stream of [output, error]) stream.destroy();
    if (timedOut) return `${exec[0]}: timed out after ${timeout / 1000} s${quoted(err.text() || out.text())}`;
    if (exit.kind === 'code' && exit.code === 0) return undefined;
    const status = confinement.signalsAsCodes && exit.kind === 'code' ? fromShellExitCode(exit.code) : exit;
    return `${exec[0]}: ${describeExit(status)}${quoted(err.text() || out.text())}`;
  };
  return { failure: run().catch(reasonOf), cancel };
}

function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise(resolve => {
    child.once('exit', (code, signal) => {
      resolve(code === null ? { kind: 'signal', signal: signal ?? 'SIGKILL' } : { kind: 'code', code });
    });
  });
}

/**
 * Reads a stream to its end and stores the last bytes. `over` resolves when the stream is closed. `text`
 * returns the last line that is not empty.
 */
function tailOf(stream: Readable): { readonly over: Promise<void>; readonly text: () => string } {
  let tail = Buffer.alloc(0);
  stream.on('data', (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-MAX_TAIL_BYTES);
  });
  stream.on('error', () => {});
  return {
    over: new Promise(resolve => stream.once('close', resolve)),
    text: () => tail.toString().trimEnd().split('\n').at(-1)?.trim() ?? '',
  };
}

function quoted(lastLine: string): string {
  return lastLine === '' ? '' : `: "${escapeHidden(lastLine.slice(0, MAX_SHOWN_CHARACTERS))}"`;
}
