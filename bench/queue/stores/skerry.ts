import { setFlagsFromString } from 'node:v8';
import { standardErrorLog, systemClock } from '../../../src/cli/system.ts';
import { createResources, DEFAULT_BOUNDS } from '../../../src/core/capacity/resources.ts';
import { logFor } from '../../../src/core/log.ts';
import { openStore } from '../../../src/queue/store.ts';
import type { Drain, QueueBound, QueueEntry, Store } from '../../../src/queue/types.ts';
import { messageOf, orderCheck } from '../messages.ts';

/** Bytes: more than any part of the benchmark fills. */
const MAX_SIZE = 8 * 1024 ** 3;

export const QUEUE = '$upstream';
const DESTINATIONS = [{ queue: QUEUE, priority: 2, ttl: undefined }];

/** Consumer of the queue. */
export type Receiver = {
  /** Takes the next entry; false: not now. */
  readonly take: () => boolean;
  /** An entry that was taken is acknowledged. */
  readonly acknowledged?: () => void;
  /** A crash can no longer bring it back. If set, it is asked for with every acknowledgement. */
  readonly settled?: () => void;
};

/** Skerry's store with one queue in it, as the benchmark drives it. */
export type Skerry = {
  readonly store: Store;
  /** Appends the next message; `settled` is called once it is durable. @throws if it was refused */
  readonly append: (settled: () => void) => void;
  /**
   * Appends `batch` messages at a time while `more` says so, the next while the ones before are on their way
   * to the disk; resolves once all are durable.
   */
  readonly appendInBatches: (batch: number, more: () => boolean) => Promise<void>;
  /** Appends, `inFlight` unsettled at any time, while `more` says so; resolves once all are durable. */
  readonly appendWhile: (inFlight: number, more: () => boolean) => Promise<void>;
  /** Sends the queue in order to `receiver`, and acknowledges each entry in the next turn of the loop. */
  readonly consume: (window: number, receiver: Receiver) => Drain;
  readonly close: () => Promise<void>;
};

/**
 * Opens the store under `folder`, which holds no messages or those numbered from 1 on; window in
 * milliseconds.
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
  // As the binary does once its hub listens.
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--no-maglev');
  // The store's own timers keep no process alive.
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
      // In a later turn of the loop, when the store has begun to write the batch before.
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
    // A turn's entries are acknowledged together, as by a chunk of a socket.
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
