import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { systemCode } from '../core/errors.ts';
import { signalGroup } from './group.ts';
import type { Probe } from './health.ts';
import { spawnAlone } from './spawning.ts';
import type { HealthSpec } from './spec.ts';

/** Where a module that is asked by its port listens. */
const HOST = '127.0.0.1';

export type ProbeSettings = {
  readonly cwd: string;
  readonly environment: Record<string, string>;
  /** Confines a program as the module is. */
  readonly command: (exec: readonly string[]) => readonly string[];
  readonly clock: Clock;
};

/** How a module is looked at; undefined: it says itself how it is. */
export function probeOf(
  { check, timeout }: HealthSpec,
  { cwd, environment, command, clock }: ProbeSettings,
): (() => Probe) | undefined {
  switch (check.kind) {
    case 'exec':
      return () => runProbe(command(check.exec), cwd, environment, timeout, clock);
    case 'tcp':
      return () => connectProbe(check.port, timeout, clock);
    case 'reported':
      return undefined;
  }
}

/** Whether a program ends with 0 in time. It runs in a group of its own, which is ended with it; what it prints is dropped. */
function runProbe(
  exec: readonly string[],
  cwd: string,
  env: Record<string, string>,
  timeout: number,
  clock: Clock,
): Probe {
  const { promise: well, resolve } = Promise.withResolvers<boolean>();
  let child: ChildProcess;
  try {
    child = spawnAlone(exec, ['ignore', 'ignore', 'ignore'], { cwd, env });
  } catch (error) {
    // The working folder may be gone, the program just be written: it is not well, whatever it is.
    if (systemCode(error) === undefined) throw error;
    return { well: Promise.resolve(false), end: () => {} };
  }
  const { pid } = child;
  let over = false;
  const end = (): void => {
    if (!over && pid !== undefined) signalGroup(pid, 'SIGKILL');
  };
  const cancel = clock.after(timeout, end);
  child.once('error', () => {
    cancel();
    resolve(false);
  });
  child.once('exit', code => {
    cancel();
    end();
    over = true;
    resolve(code === 0);
  });
  return { well, end };
}

/** Whether a port takes a connection in time. */
function connectProbe(port: number, timeout: number, clock: Clock): Probe {
  const { promise: well, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, HOST);
  const settle = (good: boolean): void => {
    cancel();
    socket.destroy();
    resolve(good);
  };
  const cancel = clock.after(timeout, () => settle(false));
  socket.once('connect', () => settle(true));
  socket.once('error', () => settle(false));
  return { well, end: () => settle(false) };
}
