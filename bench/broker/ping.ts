import { setTimeout as pause } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { percentile } from '../report.ts';
import { openClient, receiver } from './client.ts';

/*
 * ping.ts <port> <qos> <messages a second> <seconds>
 *
 * Publishes at a constant rate. Prints the time of messages to their subscriber in milliseconds: p50, p99 and
 * p99.9. The body of a message contains the time when it was sent.
 */
const [port = 0, level = 0, rate = 1, seconds = 1] = process.argv.slice(2).map(Number);
const qos = level === 0 ? 0 : 1;
const WARM_UP = 1_000;
const BODY = 256;

const frame = generate({
  cmd: 'publish',
  topic: 'bench/topic',
  payload: Buffer.alloc(BODY),
  qos,
  messageId: 1,
  dup: false,
  retain: false,
});
const frames = {
  size: frame.length,
  identifierAt: frame.length - BODY - 2,
  from: () => ({ bytes: frame, count: 1 }),
};
const latencies: number[] = [];
let tail: Buffer = Buffer.alloc(0);

function recordLatency(bytes: Buffer): void {
  const now = performance.now();
  const all = Buffer.concat([tail, bytes]);
  const count = Math.floor(all.length / frame.length);
  for (let n = 1; n <= count; n++) latencies.push(now - all.readDoubleBE(n * frame.length - BODY));
  tail = all.subarray(count * frame.length);
}

const answer = receiver(frames, (_, answers) => subscriber.send(answers));
const subscriber = await openClient({
  port,
  id: 'subscriber',
  clean: true,
  subscribe: qos,
  heard: bytes => {
    recordLatency(bytes);
    if (qos === 1) answer(bytes);
  },
});
const publisher = await openClient({
  port,
  id: 'publisher',
  clean: true,
  subscribe: undefined,
  heard: () => {},
});

const started = performance.now();
let sent = 0;
while (performance.now() - started < WARM_UP + seconds * 1000) {
  const due = ((performance.now() - started) / 1000) * rate;
  for (; sent < due; sent++) {
    const one = Buffer.from(frame);
    if (qos === 1) one.writeUInt16BE(1 + (sent % 65_535), frames.identifierAt);
    one.writeDoubleBE(performance.now(), frame.length - BODY);
    publisher.send(one);
  }
  if (sent === rate) latencies.length = 0;
  await pause(1);
}
await pause(200);
const shares = [0.5, 0.99, 0.999].map(share => percentile(latencies, share).toFixed(3));
process.stdout.write(`${latencies.length} ${shares.join(' ')}\n`);
process.exit(0);
