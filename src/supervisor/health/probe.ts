import { connect } from 'node:net';
import { getSystemErrorMessage } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import type { HealthSpec } from '../spec.ts';
import type { ExecProbeSettings } from './exec-probe.ts';
import { runExecProbe } from './exec-probe.ts';
import type { Probe } from './health-monitor.ts';

/** Address to which TCP probes connect. */
const HOST = '127.0.0.1';

/** Returns the function that starts a health check. Undefined if the module reports its health itself. */
export function createProbe(
  { check, timeout }: HealthSpec,
  settings: Omit<ExecProbeSettings, 'timeout'>,
): (() => Probe) | undefined {
  switch (check.kind) {
    case 'exec':
      return () => runExecProbe(check.exec, { ...settings, timeout });
    case 'tcp':
      return () => tcpProbe(check.port, timeout, settings.clock);
    case 'reported':
      return undefined;
  }
}

/** Starts a check that succeeds if the port accepts a connection within the timeout. */
function tcpProbe(port: number, timeout: number, clock: Clock): Probe {
  const { promise: failure, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect(port, HOST);
  const settle = (reason: string | undefined): void => {
    cancel();
    socket.destroy();
    resolve(reason);
  };
  const cancel = clock.after(timeout, () =>
    settle(`port ${port}: connection timed out after ${timeout / 1000} s`),
  );
  socket.once('connect', () => settle(undefined));
  socket.once('error', error => settle(`port ${port}: ${describe(error)}`));
  return { failure, cancel: () => settle('cancelled') };
}

function describe(error: NodeJS.ErrnoException): string {
  return error.errno === undefined ? error.message : `${getSystemErrorMessage(error.errno)} (${error.code})`;
}
