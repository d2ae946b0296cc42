import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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
  /**
   * Maximum milliseconds from a publish to the delivery of the message, without the time for which other
   * virtual machines had the processors of this one.
   */
  readonly longestMs: number;
  /** Maximum milliseconds from a publish to the delivery, with that time. */
  readonly longestWithStealMs: number;
  /** Faults, one sentence each. */
  readonly faults: readonly string[];
};

/** Moment of a publish: the time, and the stolen time until then, in milliseconds. */
type Moment = { readonly at: number; readonly stolen: number };

/** Milliseconds of a kernel tick (sysconf(3), _SC_CLK_TCK). */
const TICK_MS = 10;

/**
 * Returns the milliseconds per processor since the boot for which this virtual machine was ready to run while
 * its host ran others: the steal time of proc(5), /proc/stat. 0 on a machine that is not virtual.
 */
function stolenMs(): number {
  const [, , , , , , , , steal = '0'] = readFileSync('/proc/stat', 'latin1').split(/\s+/, 9);
  return (Number(steal) * TICK_MS) / availableParallelism();
}

const faults: string[] = [];
const sent = new Map<number, Moment>();
let published = 0;
let arrived = 0;
let longestMs = 0;
let longestWithStealMs = 0;

function measure(moment: Moment | undefined): void {
  if (moment === undefined) return;
  const took = performance.now() - moment.at;
  longestWithStealMs = Math.max(longestWithStealMs, took);
  if (took > longestMs) longestMs = Math.max(longestMs, took - (stolenMs() - moment.stolen));
}

const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${process.argv[2]}`, {
  clientId: 'honest',
  protocolVersion: 5,
  reconnectPeriod: 0,
});
client.on('close', () => faults.push('the honest connection was closed'));
client.on('message', (_topic, body) => {
  const number = Number(body.toString());
  if (number !== ++arrived) faults.push(`message ${number} came as number ${arrived}`);
  measure(sent.get(number));
  sent.delete(number);
});
await client.subscribeAsync('honest/own', { qos: 1 });
const timer = setInterval(() => {
  sent.set(++published, { at: performance.now(), stolen: stolenMs() });
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
  return { published, longestMs, longestWithStealMs, faults: found };
}

process.once('message', () => {
  void report().then(result => process.send?.(result, () => process.exit(0)));
});
process.send?.('ready');
