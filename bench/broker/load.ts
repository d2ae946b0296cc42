import { setTimeout as pause } from 'node:timers/promises';
import { framesOf, openClient, PUBACK_BYTES, receiver } from './client.ts';

/*
 * load.ts <port> <publishers> <subscribers> <qos> <window> <seconds>
 *
 * Loads a broker. Prints how many messages a second its subscribers received, and the share of the time in
 * which this process was busy.
 */

/** Milliseconds of load before the measurement begins. */
const WARM_UP = 500;

const [port = 0, publishers = 1, subscribers = 1, level = 0, window = 1, seconds = 1] = process.argv
  .slice(2)
  .map(Number);
const qos = level === 0 ? 0 : 1;
const frames = framesOf(qos);
const received = new Array<number>(subscribers).fill(0);
const wakes: (() => void)[] = [];

async function subscribe(index: number): Promise<void> {
  let rest = 0;
  const addReceived = (count: number): void => {
    received[index] = (received[index] ?? 0) + count;
    for (const wake of wakes) wake();
  };
  const answer = receiver(frames, (count, answers) => {
    client.send(answers);
    addReceived(count);
  });
  const heard = (bytes: Buffer): void => {
    rest += bytes.length;
    const count = Math.floor(rest / frames.size);
    rest -= count * frames.size;
    addReceived(count);
  };
  const settings = { port, id: `subscriber-${index}`, clean: true, subscribe: qos } as const;
  const client = await openClient({ ...settings, heard: qos === 0 ? heard : answer });
}

/**
 * Publishes within a window. At QoS 0, the window is the maximum number of messages that the slowest
 * subscriber has not received. At QoS 1, it is the maximum number of messages that the broker has not
 * acknowledged.
 */
async function publish(index: number): Promise<void> {
  let sent = 0;
  let acknowledged = 0;
  let rest = 0;
  const heard = (bytes: Buffer): void => {
    rest += bytes.length;
    acknowledged += Math.floor(rest / PUBACK_BYTES);
    rest %= PUBACK_BYTES;
    fill();
  };
  const { send } = await openClient({
    port,
    id: `publisher-${index}`,
    clean: true,
    subscribe: undefined,
    heard,
  });
  const fill = (): void => {
    const minReceived = received.reduce((one, other) => Math.min(one, other));
    let allowed =
      qos === 0 ? window - (sent - Math.floor(minReceived / publishers)) : window - (sent - acknowledged);
    // At least a quarter of the window is sent at once, because small pieces would need many calls.
    if (allowed < window / 4) return;
    while (allowed > 0) {
      const { bytes, count } = frames.from(sent, allowed);
      send(bytes);
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
