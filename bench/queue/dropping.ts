import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../report.ts';
import { tell } from './child.ts';
import type { Skerry } from './stores/skerry.ts';
import { openSkerry } from './stores/skerry.ts';

/*
 * dropping.ts <folder> <messages> <rounds>
 *
 * Appends to a queue without a bound and to a full queue that drops its oldest messages, in turn in each
 * round.
 */

/** Maximum bytes of the bounded queue. */
const BOUND = 8 << 20;

/** Messages in flight at once, as from several clients with their own windows. */
const BATCH = 100;

/** Returns the microseconds of processor time per message for `messages` more messages. */
async function cost({ appendInBatches }: Skerry, messages: number): Promise<number> {
  const before = process.cpuUsage();
  let left = messages / BATCH;
  await appendInBatches(BATCH, () => left-- > 0);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / messages;
}

const [folder = '', messages = '', rounds = ''] = process.argv.slice(2);
const count = Number(messages);
for (const name of ['free', 'bounded']) mkdirSync(join(folder, name), { recursive: true });
const free = await openSkerry(join(folder, 'free'), 0);
const bounded = await openSkerry(join(folder, 'bounded'), 0, { maxSize: BOUND, whenFull: 'dropOldest' });
// Warms up both queues and fills the bounded queue.
for (const store of [free, bounded]) await cost(store, count);
const figures = [];
for (let round = 0; round < Number(rounds); round++) {
  figures.push({ appended: await cost(free, count), dropped: await cost(bounded, count) });
}
if (bounded.store.counts().overflowed < count) throw new Error('Hardly anything was dropped.');
tell('appended', median(figures.map(({ appended }) => appended)));
tell('dropped', median(figures.map(({ dropped }) => dropped)));
tell('ratio', median(figures.map(({ appended, dropped }) => dropped / appended)));
await free.close();
await bounded.close();
