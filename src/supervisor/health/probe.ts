import { connect } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { reasonOf } from '../../core/errors.ts';
import type { HealthSpec } from '../spec.ts';
import type { CheckSettings } from './exec-probe.ts';
import { runCheck } from './exec-probe.ts';
import type { Probe } from './health-monitor.ts';

/** Where a module that is asked by its port listens. */
const HOST = '127.0.0.1';

/** How a module is looked at; undefined: it says itself how it is. */
export function probeOf(
  { check, timeout }: HealthSpec,
  settings: Omit<CheckSettings, 'timeout'>,
): (() => Probe) | undefined {
  switch (check.kind) {
    case 'exec':
      return () => runCheck(check.exec, { ...settings, timeout });
    case 'tcp':
      return () => connectProbe(check.port, timeout, settings.clock);
    case 'reported':
      return undefined;
  }
}

/** Whether a port takes a connection in time. */
function connectProbe(port: number, timeout: number, clock: Clock): Probe {
  const { promise: failure, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect(port, HOST);
  const settle = (reason: string | undefined): void => {
    cancel();
    socket.destroy();
    resolve(reason);
  };
  const cancel = clock.after(timeout, () =>
    settle(`port ${port} took no connection within ${timeout / 1000} s`),
  );
  socket.once('connect', () => settle(undefined));
  socket.once('error', error => settle(`port ${port} takes no connection: ${reasonOf(error)}`));
  return { failure, end: () => settle('it was broken off') };
}
