import type { Clock } from '../../../src/core/clock.ts';
import { openDatabase } from '../../../src/queue/disk/database.ts';
import { SWEEP_INTERVAL_MS } from '../../../src/queue/limits.ts';
import type { Store } from '../../../src/queue/types.ts';
import type { Report } from './report.ts';

/** Drains a store, closes it, and reports the remaining data in `folder`. */
export async function finish(store: Store, folder: string, clock: Clock, report: Report): Promise<void> {
  for (const { queue } of store.stats()) await drainAll(store, queue);
  for (const { id } of store.deadLetters.list()) {
    await settledBy(settle => store.deadLetters.drop(id, settle));
  }
  // The maintenance of the store completes interrupted purges.
  await new Promise<void>(resolve => void clock.after(2 * SWEEP_INTERVAL_MS, resolve));
  for (const { depth, bytes } of store.stats()) {
    report('remaining', depth, 'messages by the figures');
    report('remaining', bytes, 'bytes by the figures');
  }
  report('remaining', store.deadLetters.list().length, 'letters');
  await store.close();
  const database = await openDatabase(folder);
  const { metadata: _, ...tables } = database.tables();
  for (const [table, count] of Object.entries(tables)) report('remaining', count, table);
  report('remaining', database.queues().filter(({ record }) => record.retired).length, 'purged queues');
  await database.close();
}

/** Acknowledges all entries of a queue. Resolves when the acknowledgements are durable. */
async function drainAll(store: Store, queue: string): Promise<void> {
  const durable: Promise<void>[] = [];
  const drain = store.drain(queue, {
    window: 100,
    send: entry => {
      durable.push(settledBy(settle => drain.acknowledge(entry, settle)));
      return true;
    },
  });
  drain.wake();
  await Promise.all(durable);
  drain.stop();
}

function settledBy(ask: (settle: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    ask(error => (error === undefined ? resolve() : reject(error)));
  });
}
