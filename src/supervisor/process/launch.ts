import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../../core/clock.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { Account } from '../confinement/users.ts';
import type { ModuleSpec } from '../spec.ts';
import type { StandardStreams } from '../stdio/standard-streams.ts';
import { openStreams } from '../stdio/standard-streams.ts';
import { spawnOnTerminal } from '../terminal/pty.ts';
import type { SharedTerminal } from '../terminal/shared-terminal.ts';
import type { ExitStatus } from './exit-status.ts';
import { fromShellExitCode } from './exit-status.ts';
import type { LaunchedProcess } from './launched-process.ts';
import { spawnIsolated } from './spawn.ts';
import { findStartError, spawnError } from './start-check.ts';
import type { StartError } from './start-error.ts';

/** Settings of a launch. With a `terminal`, the process runs on a pseudo-terminal. */
export type ModuleLaunchSettings = { readonly terminal: SharedTerminal | undefined; readonly clock: Clock };

/** Starts the process of a module. Resolves to a start error if the process cannot be started. */
export async function launch(
  spec: ModuleSpec,
  confinement: Confinement,
  environment: Record<string, string>,
  { terminal, clock }: ModuleLaunchSettings,
): Promise<LaunchedProcess | StartError> {
  const startError = findStartError(spec, environment, confinement.account);
  if (startError !== undefined) return startError;
  const exec = confinement.command(spec.exec);
  const started = await (terminal === undefined
    ? spawnOnPipes(spec, exec, environment, confinement.account)
    : spawnOnTerminal(spec.cwd, exec, environment, terminal, clock));
  return confinement.signalsAsCodes && 'exited' in started
    ? { ...started, exited: started.exited.then(decodeShellExit) }
    : started;
}

function decodeShellExit(exit: ExitStatus): ExitStatus {
  return exit.kind === 'code' ? fromShellExitCode(exit.code) : exit;
}

async function spawnOnPipes(
  spec: ModuleSpec,
  exec: readonly string[],
  env: Record<string, string>,
  account: Account | undefined,
): Promise<LaunchedProcess | StartError> {
  const hasInput = spec.io === 'lines';
  let streams: StandardStreams | undefined;
  let child: ChildProcess;
  try {
    streams = await openStreams(hasInput, account);
    child = spawnIsolated(exec, streams.childStdio, { cwd: spec.cwd, env });
  } catch (error) {
    streams?.close();
    return spawnError(spec, error, env);
  }
  const { pid } = child;
  if (pid === undefined) {
    streams.close();
    const [error] = await once(child, 'error');
    return spawnError(spec, error, env);
  }
  const { input, output, error } = streams.connect(child);
  const err = { name: 'err', stream: error } as const;
  return {
    pid,
    input,
    messages: hasInput ? output : undefined,
    logged: hasInput ? [err] : [{ name: 'out', stream: output }, err],
    exited: new Promise(resolve => {
      child.once('exit', (code, signal) => {
        resolve(code === null ? { kind: 'signal', signal: signal ?? 'SIGKILL' } : { kind: 'code', code });
      });
    }),
  };
}
