import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { visible } from '../../core/visible.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { Exit } from '../process/exit-status.ts';
import { describeExit, exitOfShell } from '../process/exit-status.ts';
import type { Leftovers } from '../process/orphans.ts';
import { pause } from '../process/pause.ts';
import { signalGroup } from '../process/process-group.ts';
import { spawnAlone } from '../process/spawn.ts';
import { findFault, spawnFault } from '../process/start-error.ts';
import { openStreams } from '../stdio/standard-streams.ts';
import type { Probe } from './health-monitor.ts';

/** Bytes that are kept of what a check printed last, and characters of them that are shown. */
const KEPT_BYTES = 4_096;
const SHOWN_MOST = 200;

/** Milliseconds that the last words of a check that has ended are waited for: what it left may hold its streams open. */
const LAST_WORDS = 100;

export type CheckSettings = {
  readonly module: string;
  readonly cwd: string;
  /** The module's. */
  readonly environment: Record<string, string>;
  readonly confinement: Confinement;
  readonly leftovers: Leftovers;
  readonly clock: Clock;
  /** Milliseconds that it may take. */
  readonly timeout: number;
};

/**
 * Runs a program that tells by exit code 0 that its module is well, confined as the module is. All that it started ends with
 * it, whatever session that made: it has a control group within the module's, or a mark of its own.
 */
export function runCheck(exec: readonly string[], settings: CheckSettings): Probe {
  const { clock } = settings;
  let leader: number | undefined;
  let ended = false;
  const end = (): void => {
    ended = true;
    if (leader !== undefined) signalGroup(leader, 'SIGKILL');
  };

  const run = async (): Promise<string | undefined> => {
    const { cwd, environment, confinement, leftovers, timeout } = settings;
    const mark = leftovers.mark(settings.module);
    const group = confinement.checkGroup();
    const env = group === undefined ? { ...environment, ...mark.environment } : environment;
    const fault = findFault({ exec, cwd }, env, confinement.account);
    if (fault !== undefined) return fault.reason;
    const streams = await openStreams(false, confinement.account);
    let child: ChildProcess;
    try {
      child = spawnAlone(confinement.command(exec, group), streams.inner, { cwd, env });
    } catch (error) {
      streams.close();
      if (systemCode(error) === undefined) throw error;
      return spawnFault({ exec }, error, env).reason;
    }
    if (child.pid === undefined) {
      streams.close();
      return new Promise(resolve =>
        child.once('error', error => resolve(spawnFault({ exec }, error, env).reason)),
      );
    }
    const { pid } = child;
    leader = pid;
    const { output, error } = streams.connect(child);
    const [out, err] = [lastWordsOf(output), lastWordsOf(error)];
    let late = false;
    const cancel = clock.after(timeout, () => {
      late = true;
      signalGroup(pid, 'SIGKILL');
    });
    if (ended) end();
    const exit = await exitOf(child);
    cancel();
    // Before the pid can be another's.
    signalGroup(pid, 'SIGKILL');
    leader = undefined;
    if (group !== undefined) await leftovers.endGroup(group);
    else await leftovers.endMarked(mark);
    await pause(clock, LAST_WORDS, Promise.all([out.over, err.over]));
    for (const stream of [output, error]) stream.destroy();
    if (late) return `${exec[0]} did not end within ${timeout / 1000} s${quoted(err.text() || out.text())}`;
    if (exit.kind === 'code' && exit.code === 0) return undefined;
    const told = confinement.signalsAsCodes && exit.kind === 'code' ? exitOfShell(exit.code) : exit;
    return `${exec[0]}: ${describeExit(told)}${quoted(err.text() || out.text())}`;
  };
  return { failure: run().catch(reasonOf), end };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise(resolve => {
    child.once('exit', (code, signal) => {
      resolve(code === null ? { kind: 'signal', signal: signal ?? 'SIGKILL' } : { kind: 'code', code });
    });
  });
}

/** Reads a stream to its end, keeping its last bytes; `text` is its last line that says something. */
function lastWordsOf(stream: Readable): { readonly over: Promise<void>; readonly text: () => string } {
  let kept = Buffer.alloc(0);
  stream.on('data', (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]).subarray(-KEPT_BYTES);
  });
  stream.on('error', () => {});
  return {
    over: new Promise(resolve => stream.once('close', resolve)),
    text: () => kept.toString().trimEnd().split('\n').at(-1)?.trim() ?? '',
  };
}

function quoted(words: string): string {
  return words === '' ? '' : `: "${visible(words.slice(0, SHOWN_MOST))}"`;
}
