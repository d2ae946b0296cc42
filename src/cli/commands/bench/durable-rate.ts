import { COMMIT_WINDOW_MS } from '../../../manifest/limits.ts';
import { systemClock, systemPause } from '../../system.ts';
import { openBenchStore } from './bench-store.ts';

/** Number of messages that are sent and not acknowledged. */
const WINDOW = 200;

/** Milliseconds between two checks whether the measurement has ended. */
const POLL_MS = 10;

/** Messages per second that the store makes durable, and the CPU time of each. */
export type DurableRate = { readonly messagesPerSecond: number; readonly cpuMicroseconds: number };

/**
 * Stores messages of `size` bytes as fast as the disk permits for `seconds`, and at least until one message
 * is durable. Throws Failure `store.*`.
 */
export async function durableRate(folder: string, size: number, seconds: number): Promise<DurableRate> {
  const store = await openBenchStore(folder, size, COMMIT_WINDOW_MS, systemClock);
  let durable = 0;
  let hasEnded = false;
  const onDurable = (): void => {
    durable++;
    if (!hasEnded) store.append(onDurable);
  };
  try {
    const start = performance.now();
    const cpu = process.cpuUsage();
    for (let count = 0; count < WINDOW; count++) store.append(onDurable);
    while (performance.now() < start + seconds * 1000 || durable === 0) {
      await systemPause(POLL_MS);
      store.throwIfFailed();
    }
    const elapsed = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { messagesPerSecond: (1000 * durable) / elapsed, cpuMicroseconds: (user + system) / durable };
  } finally {
    hasEnded = true;
    await store.close();
  }
}
