import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate } from 'mqtt-packet';

/*
 * load.ts <port> <publishers> <subscribers> <qos> <window> <seconds>
 *
 * A process that loads a broker, and says how many messages a second came to its subscribers, and for how much of the
 * time it was busy itself. All packets of a kind are of one length, so it writes slices of bytes made once and counts
 * bytes.
 */

const TOPIC = 'bench/topic';
const PAYLOAD = 256;

/** Packet identifiers that a publisher uses in turn: more than any window. */
const IDENTIFIERS = 4_096;

const CONNACK_BYTES = 4;
const SUBACK_BYTES = 5;
const PUBACK_BYTES = 4;

/** Milliseconds before the measurement. */
const WARM_UP = 500;

const [port = 0, publishers = 1, subscribers = 1, level = 0, window = 1, seconds = 1] = process.argv
  .slice(2)
  .map(Number);
const qos = level === 0 ? 0 : 1;

/** Frames with the identifiers 1 to IDENTIFIERS, one behind the other. */
const frames = Buffer.concat(
  Array.from({ length: IDENTIFIERS }, (_, index) =>
    generate({
      cmd: 'publish',
      topic: TOPIC,
      payload: Buffer.alloc(PAYLOAD, index),
      qos,
      messageId: index + 1,
      dup: false,
      retain: false,
    }),
  ),
);
const frameBytes = frames.length / IDENTIFIERS;
const identifierAt = frameBytes - PAYLOAD - 2;

const received = new Array<number>(subscribers).fill(0);

/** Connects a client; `heard` gets all that comes behind the answers to CONNECT and `first`. */
function client(
  id: string,
  first: Buffer | undefined,
  heard: (bytes: Buffer) => void,
): Promise<(bytes: Buffer) => void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answers = CONNACK_BYTES + (first === undefined ? 0 : SUBACK_BYTES);
  socket.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: id,
      clean: true,
      keepalive: 0,
    }),
  );
  if (first !== undefined) socket.write(first);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', bytes => {
      const skipped = Math.min(answers, bytes.length);
      if (skipped > 0) {
        answers -= skipped;
        if (answers === 0) resolve(data => socket.write(data));
      }
      if (bytes.length > skipped) heard(bytes.subarray(skipped));
    });
  });
}

async function subscribe(index: number): Promise<void> {
  let rest = 0;
  let tail: Buffer = Buffer.alloc(0);
  const subscription = generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: TOPIC, qos }] });
  const send = await client(`subscriber-${index}`, subscription, bytes => {
    if (qos === 0) {
      rest += bytes.length;
      const count = Math.floor(rest / frameBytes);
      rest -= count * frameBytes;
      received[index] = (received[index] ?? 0) + count;
    } else {
      const all = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
      const count = Math.floor(all.length / frameBytes);
      tail = all.subarray(count * frameBytes);
      received[index] = (received[index] ?? 0) + count;
      const answers = Buffer.alloc(count * PUBACK_BYTES);
      for (let n = 0; n < count; n++) {
        answers.writeUInt16BE(0x4002, n * PUBACK_BYTES);
        answers.writeUInt16BE(all.readUInt16BE(n * frameBytes + identifierAt), n * PUBACK_BYTES + 2);
      }
      if (count > 0) send(answers);
    }
    for (const wake of wakes) wake();
  });
}

const wakes: (() => void)[] = [];

/** At QoS 0 what the slowest subscriber lacks is bounded; at QoS 1 what the broker has not acknowledged. */
async function publish(index: number): Promise<void> {
  let sent = 0;
  let acknowledged = 0;
  let rest = 0;
  const send = await client(`publisher-${index}`, undefined, bytes => {
    rest += bytes.length;
    acknowledged += Math.floor(rest / PUBACK_BYTES);
    rest %= PUBACK_BYTES;
    fill();
  });
  const fill = (): void => {
    const least = received.reduce((one, other) => Math.min(one, other));
    let allowed =
      qos === 0 ? window - (sent - Math.floor(least / publishers)) : window - (sent - acknowledged);
    // Small pieces would be many calls: a quarter of the window at least.
    if (allowed < window / 4) return;
    while (allowed > 0) {
      const from = sent % IDENTIFIERS;
      const count = Math.min(allowed, IDENTIFIERS - from);
      send(frames.subarray(from * frameBytes, (from + count) * frameBytes));
      sent += count;
      allowed -= count;
    }
  };
  if (qos === 0) wakes.push(fill);
  fill();
}

for (let index = 0; index < subscribers; index++) await subscribe(index);
for (let index = 0; index < publishers; index++) await publish(index);
await pause(WARM_UP);
const before = { count: received.reduce((a, b) => a + b), cpu: process.cpuUsage(), at: performance.now() };
await pause(seconds * 1000);
const passed = performance.now() - before.at;
const { user, system } = process.cpuUsage(before.cpu);
process.stdout.write(`speed ${((received.reduce((a, b) => a + b) - before.count) / passed) * 1000}\n`);
process.stdout.write(`busy ${(user + system) / 1000 / passed}\n`);
process.exit(0);
