import { monitorEventLoopDelay } from 'node:perf_hooks';
import mqtt from 'mqtt';

/*
 * honest-client.ts <port>
 *
 * Publishes to itself at QoS 1 and expects all messages in order. Sends "ready" to its parent process after
 * the SUBACK, and a report when the parent sends "stop".
 */

/** Milliseconds between two messages. */
const INTERVAL = 50;

/** Milliseconds after the last message in which all messages must arrive. */
const TIMEOUT = 20_000;

/** Result of the honest client. */
export type HonestReport = {
  readonly published: number;
  /** Maximum milliseconds from a publish to the delivery of the message. */
  readonly longestMs: number;
  /** Maximum milliseconds for which this process itself did not run. Part of `longestMs`. */
  readonly ownDelayMs: number;
  /** Faults, one sentence each. */
  readonly faults: readonly string[];
};

const faults: string[] = [];
const sent = new Map<number, number>();
const delay = monitorEventLoopDelay({ resolution: 10 });
let published = 0;
let arrived = 0;
let longestMs = 0;
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${process.argv[2]}`, {
  clientId: 'honest',
  protocolVersion: 5,
  reconnectPeriod: 0,
});
client.on('close', () => faults.push('the honest connection was closed'));
client.on('message', (_topic, body) => {
  const number = Number(body.toString());
  if (number !== ++arrived) faults.push(`message ${number} came as number ${arrived}`);
  longestMs = Math.max(longestMs, performance.now() - (sent.get(number) ?? 0));
  sent.delete(number);
});
await client.subscribeAsync('honest/own', { qos: 1 });
delay.enable();
const timer = setInterval(() => {
  sent.set(++published, performance.now());
  client.publish('honest/own', String(published), { qos: 1 }, error => {
    if (error) faults.push(`message ${published}: ${error.message}`);
  });
}, INTERVAL);

async function report(): Promise<HonestReport> {
  clearInterval(timer);
  for (const end = performance.now() + TIMEOUT; sent.size > 0 && performance.now() < end; )
    await new Promise(done => setTimeout(done, 20));
  if (sent.size > 0) faults.push(`${sent.size} of ${published} messages did not come back`);
  const found = [...faults];
  await client.endAsync(true);
  return { published, longestMs, ownDelayMs: delay.max / 1e6, faults: found };
}

process.once('message', () => {
  void report().then(result => process.send?.(result, () => process.exit(0)));
});
process.send?.('ready');
