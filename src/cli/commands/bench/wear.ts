import { readFileSync } from 'node:fs';
import { createSimulatedClock } from '../../../core/simulated-clock.ts';
import { COMMIT_WINDOW_MS } from '../../../manifest/limits.ts';
import { openBenchStore } from './bench-store.ts';

const MS_PER_DAY = 86_400_000;

/** Minimum number of messages, so that a slow disk gives a stable average too. */
const MIN_MESSAGES = 300;

/**
 * Returns the bytes per day that the store writes for `rate` messages per second of `size` bytes, none of
 * which can be delivered. Simulates the time between the messages, so that hours pass in `seconds`. Does not
 * count what the file system writes for itself. NaN if the system does not count writes to this disk. Throws
 * Failure `store.*`.
 */
export async function bytesPerDay(
  folder: string,
  size: number,
  rate: number,
  seconds: number,
): Promise<number> {
  const clock = createSimulatedClock(Date.now);
  const store = await openBenchStore(folder, size, COMMIT_WINDOW_MS, clock);
  const interval = 1000 / rate;
  /** Number of messages that can wait for one commit at this rate. */
  const waiting = interval >= COMMIT_WINDOW_MS ? 0 : Math.ceil(COMMIT_WINDOW_MS / interval);
  let durable = 0;
  let sent = 0;
  const before = writtenBytes();
  try {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end || sent < MIN_MESSAGES) {
      store.append(() => durable++);
      // A flush that took longer than the interval has already advanced the clock.
      clock.advance(Math.max(0, interval * ++sent - clock.monotonic()));
      const began = performance.now();
      const simulated = clock.monotonic();
      while (sent - durable > waiting) {
        await new Promise(resolve => setImmediate(resolve));
        store.throwIfFailed();
        // During the flush, real time passes for the simulated clock, too.
        clock.advance(Math.max(0, simulated + performance.now() - began - clock.monotonic()));
      }
    }
  } finally {
    await store.close();
  }
  const written = writtenBytes() - before;
  return written === 0 ? Number.NaN : (written * MS_PER_DAY) / (sent * interval);
}

/**
 * Returns the bytes that this process has caused to be written to disk (proc(5), /proc/pid/io). 0 if the
 * kernel does not count them.
 */
function writtenBytes(): number {
  try {
    return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
