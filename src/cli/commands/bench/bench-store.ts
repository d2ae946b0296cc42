import { join } from 'node:path';
import { createResources, DEFAULT_BOUNDS } from '../../../core/capacity/resources.ts';
import type { Clock } from '../../../core/clock.ts';
import { Failure } from '../../../core/errors.ts';
import { type Message, PLAIN } from '../../../core/message.ts';
import { openStore } from '../../../queue/store.ts';
import type { Store } from '../../../queue/types.ts';

/** Maximum bytes of memory for messages that wait for the disk. */
const MAX_PENDING_BYTES = 1 << 20;

/** Maximum bytes of the store. */
const MAX_SIZE = 64 << 20;

/** Queue of all messages. It has no receiver, so every message is written to disk. */
const QUEUE = 'bench';

/** Store of the measurement, with messages of one size. */
export type BenchStore = {
  /** Appends a message. Calls `onDurable` when the message is flushed to disk. */
  readonly append: (onDurable: () => void) => void;
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
  const fail = (sentence: string): never => {
    throw new Failure('store.write', sentence);
  };
  const store: Store = await openStore({
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
    log: { info: () => {}, warn: () => {}, error: fail },
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
        if (error !== undefined) fail(error.message);
        onDurable();
      }),
    close: () => store.close(),
  };
}
