import { setFlagsFromString } from 'node:v8';
import { standardErrorLog, systemClock } from '../../../src/cli/system.ts';
import { createResources, DEFAULT_BOUNDS } from '../../../src/core/capacity/resources.ts';
import { logFor } from '../../../src/core/log.ts';
import { openStore } from '../../../src/queue/store.ts';
import type { Drain, QueueBound, QueueEntry, Store } from '../../../src/queue/types.ts';
import { messageOf, orderCheck } from '../messages.ts';

/** Maximum bytes of the store, more than any benchmark uses. */
const MAX_SIZE = 8 * 1024 ** 3;

export const QUEUE = '$upstream';
const DESTINATIONS = [{ queue: QUEUE, priority: 2, ttl: undefined }];

/** Consumer of the queue. */
export type Receiver = {
  /** Accepts the next entry. Returns false if the receiver is busy. */
  readonly take: () => boolean;
  /** Called when an accepted entry is acknowledged. */
  readonly acknowledged?: () => void;
  /**
   * Called when the removal of the entry is on disk. If defined, it is passed to the store with each
   * acknowledgement.
   */
  readonly settled?: () => void;
};

/** Skerry's store with one queue, as the benchmarks use it. */
export type Skerry = {
  readonly store: Store;
  /**
   * Appends the next message. Calls `settled` once the message is durable.
   * @throws if the message was refused
   */
  readonly append: (settled: () => void) => void;
  /**
   * Appends `batch` messages at a time while `more` returns true. A batch begins while the previous one is
   * being written to disk. Resolves once all messages are durable.
   */
  readonly appendInBatches: (batch: number, more: () => boolean) => Promise<void>;
  /**
   * Appends messages while `more` returns true, with at most `inFlight` that are not durable yet. Resolves
   * once all are durable.
   */
  readonly appendWhile: (inFlight: number, more: () => boolean) => Promise<void>;
  /** Sends the queue in order to `receiver`. Acknowledges each entry in the next turn of the event loop. */
  readonly consume: (window: number, receiver: Receiver) => Drain;
  readonly close: () => Promise<void>;
};

/**
 * Opens the store in `folder`, which contains no messages or messages with the numbers from 1 on.
 * `commitWindow` is in milliseconds.
 */
export async function openSkerry(folder: string, commitWindow: number, bound?: QueueBound): Promise<Skerry> {
  const store = await openStore({
    maxPendingBytes: 4 << 20,
    countRead: () => {},
    folder,
    maxSize: MAX_SIZE,
    whenFull: 'reject',
    boundOf: () => bound,
    ttl: undefined,
    commitWindow,
    clock: systemClock,
    resources: createResources(() => DEFAULT_BOUNDS),
    log: logFor('store', standardErrorLog),
  });
  // The binary sets the same flags once its hub listens.
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--no-maglev');
  // The timers of the store do not keep the process alive. This interval does.
  const alive = setInterval(() => {}, 1 << 30);
  let appended = store.stats()[0]?.depth ?? 0;
  const append = (settled: () => void): void => {
    store.append(messageOf(++appended), DESTINATIONS, error => {
      if (error !== undefined) throw error;
      settled();
    });
  };

  const appendWhile = (inFlight: number, more: () => boolean): Promise<void> =>
    new Promise(resolve => {
      let unsettled = 0;
      const next = (): void => {
        while (unsettled < inFlight && more()) {
          unsettled++;
          append(settled);
        }
        if (unsettled === 0) resolve();
      };
      const settled = (): void => {
        unsettled--;
        next();
      };
      next();
    });

  const appendInBatches = (batch: number, more: () => boolean): Promise<void> =>
    new Promise(resolve => {
      let underWay = 0;
      let due = false;
      const appendBatch = (): void => {
        due = false;
        if (!more()) {
          if (underWay === 0) resolve();
          return;
        }
        let unsettled = batch;
        underWay++;
        const settled = (): void => {
          if (--unsettled > 0) return;
          underWay--;
          next();
        };
        for (let count = 0; count < batch; count++) append(settled);
        next();
      };
      // The next batch begins in a later turn of the event loop, when the store has begun to write the
      // previous batch.
      const next = (): void => {
        if (underWay === 2 || due) return;
        due = true;
        setImmediate(appendBatch);
      };
      next();
    });

  const inOrder = orderCheck(1);
  const consume = (window: number, receiver: Receiver): Drain => {
    const { take, acknowledged, settled } = receiver;
    // Entries of one turn are acknowledged together, as by one chunk of a socket.
    let sent: QueueEntry[] = [];
    const acknowledge = (): void => {
      const entries = sent;
      sent = [];
      for (const entry of entries) {
        drain.acknowledge(entry, settled);
        acknowledged?.();
      }
    };
    const drain = store.drain(QUEUE, {
      window,
      send: entry => {
        if (!take()) return false;
        inOrder(entry.message.body);
        if (sent.push(entry) === 1) setImmediate(acknowledge);
        return true;
      },
    });
    return drain;
  };

  return {
    store,
    append,
    appendInBatches,
    appendWhile,
    consume,
    close: async () => {
      await store.close();
      clearInterval(alive);
    },
  };
}
