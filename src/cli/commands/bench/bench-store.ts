import { join } from 'node:path';
import { createResources, DEFAULT_BOUNDS } from '../../../core/capacity/resources.ts';
import type { Clock } from '../../../core/clock.ts';
import { type Message, PLAIN } from '../../../core/message.ts';
import { openStore } from '../../../queue/store.ts';

/** Maximum bytes of memory for messages that wait for the disk. */
const MAX_PENDING_BYTES = 1 << 20;

/** Maximum bytes of the store. Its files take up to twice as much. */
const MAX_SIZE = 32 << 20;

/** Queue of all messages. It has no receiver, so every message is written to disk. */
const QUEUE = 'bench';

/** Store of the measurement, with messages of one size. */
export type BenchStore = {
  /** Appends a message. Calls `onDurable` when the message is flushed to disk. */
  readonly append: (onDurable: () => void) => void;
  /** Throws the first error of the store. */
  readonly throwIfFailed: () => void;
  readonly close: () => Promise<void>;
};

/**
 * Opens a store in a folder below `folder` with the hub's own code. Old messages are dropped when the store
 * is full. Throws Failure `store.*`.
 */
export async function openBenchStore(
  folder: string,
  size: number,
  commitWindow: number,
  clock: Clock,
): Promise<BenchStore> {
  let failure: Error | undefined;
  const store = await openStore({
    folder: join(folder, 'store'),
    maxPendingBytes: MAX_PENDING_BYTES,
    countRead: () => {},
    maxSize: MAX_SIZE,
    whenFull: 'dropOldest',
    boundOf: () => undefined,
    ttl: undefined,
    commitWindow,
    clock,
    resources: createResources(() => DEFAULT_BOUNDS),
    // An error is also the result of the messages that it concerns.
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const message: Message = {
    ...PLAIN,
    topic: 'bench',
    body: Buffer.alloc(size, 'x'),
    qos: 1,
    origin: { kind: 'client', client: 'bench' },
  };
  return {
    append: onDurable =>
      store.append(message, [{ queue: QUEUE, priority: 9, ttl: undefined }], error => {
        if (error === undefined) onDurable();
        else failure ??= error;
      }),
    throwIfFailed: () => {
      if (failure !== undefined) throw failure;
    },
    close: () => store.close(),
  };
}
