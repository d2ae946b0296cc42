import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { Account } from '../confinement/users.ts';
import type { ModuleSpec } from '../spec.ts';
import type { StandardStreams } from '../stdio/standard-streams.ts';
import { openStreams } from '../stdio/standard-streams.ts';
import { spawnOnTerminal } from '../terminal/pty.ts';
import type { Screen } from '../terminal/shared-terminal.ts';
import type { Exit } from './exit-status.ts';
import { exitOfShell } from './exit-status.ts';
import { spawnAlone } from './spawn.ts';
import type { Fault } from './start-error.ts';
import { findFault, spawnFault } from './start-error.ts';

/** A running process that leads a session and a process group of its own. */
export type Process = {
  readonly pid: number;
  /** Its standard input, if messages go there. */
  readonly input: Writable | undefined;
  /** Its standard output, if messages come from there. */
  readonly messages: Readable | undefined;
  /** Everything else it says, by the name that its lines bear in the log. */
  readonly logged: readonly { readonly name: 'out' | 'err' | 'tty'; readonly stream: Readable }[];
  /** Resolves when this process has ended; its streams may still hold what it said, its children may live. */
  readonly exited: Promise<Exit>;
};

/** `screen`: it runs on a terminal, which shows there. */
export type Surroundings = { readonly screen: Screen | undefined; readonly clock: Clock };

/** Starts a module; what hinders it is returned, not thrown. */
export async function launch(
  spec: ModuleSpec,
  confinement: Confinement,
  environment: Record<string, string>,
  { screen, clock }: Surroundings,
): Promise<Process | Fault> {
  const fault = findFault(spec, environment, confinement.account);
  if (fault !== undefined) return fault;
  const exec = confinement.command(spec.exec);
  const started = await (screen === undefined
    ? spawnOnPipes(spec, exec, environment, confinement.account)
    : spawnOnTerminal(spec.cwd, exec, environment, screen, clock));
  return confinement.signalsAsCodes && 'exited' in started
    ? { ...started, exited: started.exited.then(asShell) }
    : started;
}

function asShell(exit: Exit): Exit {
  return exit.kind === 'code' ? exitOfShell(exit.code) : exit;
}

async function spawnOnPipes(
  spec: ModuleSpec,
  exec: readonly string[],
  env: Record<string, string>,
  account: Account | undefined,
): Promise<Process | Fault> {
  const talks = spec.io === 'lines';
  let streams: StandardStreams | undefined;
  let child: ChildProcess;
  try {
    streams = await openStreams(talks, account);
    child = spawnAlone(exec, streams.inner, { cwd: spec.cwd, env });
  } catch (error) {
    streams?.close();
    return spawnFault(spec, error, env);
  }
  const { pid } = child;
  if (pid === undefined) {
    streams.close();
    const [error] = await once(child, 'error');
    return spawnFault(spec, error, env);
  }
  const { input, output, error } = streams.connect(child);
  const err = { name: 'err', stream: error } as const;
  return {
    pid,
    input,
    messages: talks ? output : undefined,
    logged: talks ? [err] : [{ name: 'out', stream: output }, err],
    exited: new Promise(resolve => {
      child.once('exit', (code, signal) => {
        resolve(code === null ? { kind: 'signal', signal: signal ?? 'SIGKILL' } : { kind: 'code', code });
      });
    }),
  };
}
