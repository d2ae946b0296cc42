import type { Clock } from '../../../src/core/clock.ts';
import { openDatabase } from '../../../src/queue/disk/database.ts';
import { SWEEP_INTERVAL_MS } from '../../../src/queue/limits.ts';
import type { Store } from '../../../src/queue/types.ts';
import type { Report } from './report.ts';

/** Takes everything out of a store, closes it, and reports what is left of it in `folder`. */
export async function finish(store: Store, folder: string, clock: Clock, report: Report): Promise<void> {
  for (const { queue } of store.stats()) await drainAll(store, queue);
  for (const { id } of store.deadLetters.list()) {
    await settledBy(settle => store.deadLetters.drop(id, settle));
  }
  // What a crash interrupted goes on in the rounds of the store: purged queues are emptied there.
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

/** Acknowledges all that a queue holds; resolves once none of it can come back. */
async function drainAll(store: Store, queue: string): Promise<void> {
  const settled: Promise<void>[] = [];
  const drain = store.drain(queue, {
    window: 100,
    send: entry => {
      settled.push(settledBy(settle => drain.acknowledge(entry, settle)));
      return true;
    },
  });
  drain.wake();
  await Promise.all(settled);
  drain.stop();
}

function settledBy(ask: (settle: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    ask(error => (error === undefined ? resolve() : reject(error)));
  });
}
