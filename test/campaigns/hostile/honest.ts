import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { HonestReport } from './honest-client.ts';

/**
 * Starts a client that publishes to itself at QoS 1 and expects all messages in order. The client runs in its
 * own process, because the attackers keep the event loop of this process busy. Resolves when the client is
 * subscribed.
 */
export function startHonestClient(port: number): Promise<{ readonly stop: () => Promise<HonestReport> }> {
  const child = fork(join(import.meta.dirname, 'honest-client.ts'), [String(port)]);
  const next = (): Promise<unknown> =>
    new Promise((done, fail) => {
      child.once('message', done);
      child.once('exit', code => fail(new Error(`The honest client ended with exit code ${code}.`)));
    });
  const stop = async (): Promise<HonestReport> => {
    const report = next();
    child.send('stop');
    const received = await report;
    if (!isReport(received)) throw new Error('The honest client sent no report.');
    return received;
  };
  return next().then(() => ({ stop }));
}

function isReport(value: unknown): value is HonestReport {
  return typeof value === 'object' && value !== null && 'longestMs' in value && 'faults' in value;
}
