import { readFileSync } from 'node:fs';
import { COMMIT_WINDOW_MS } from '../../../manifest/limits.ts';
import { openBenchStore } from './bench-store.ts';
import { createSimulatedClock } from './simulated-clock.ts';

const MS_PER_DAY = 86_400_000;

/** Minimum number of messages, so that a slow disk gives a stable average too. */
const MIN_MESSAGES = 300;

/**
 * Returns the bytes per day that the store writes for `rate` messages per second of `size` bytes, none of
 * which can be delivered. Simulates the time between the messages, so that hours pass in `seconds`. Does not
 * count what the file system writes for itself.
 */
export async function bytesPerDay(
  folder: string,
  size: number,
  rate: number,
  seconds: number,
): Promise<number> {
  const clock = createSimulatedClock();
  const store = await openBenchStore(folder, size, COMMIT_WINDOW_MS, clock);
  const interval = 1000 / rate;
  /** Number of messages that can wait for one commit at this rate. */
  const waiting = interval >= COMMIT_WINDOW_MS ? 0 : Math.ceil(COMMIT_WINDOW_MS / interval);
  let durable = 0;
  let sent = 0;
  const before = writtenBytes();
  for (
    const end = performance.now() + seconds * 1000;
    performance.now() < end || sent < MIN_MESSAGES;
    sent++
  ) {
    store.append(() => durable++);
    clock.advance(interval);
    while (sent + 1 - durable > waiting) {
      await new Promise(resolve => setImmediate(resolve));
      // Lets the timer of a commit expire that a message has postponed.
      clock.advance(1);
    }
  }
  const elapsed = sent * interval;
  await store.close();
  return ((writtenBytes() - before) * MS_PER_DAY) / elapsed;
}

/** Returns the bytes that this process has caused to be written to disk (proc(5), /proc/pid/io). */
function writtenBytes(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}
