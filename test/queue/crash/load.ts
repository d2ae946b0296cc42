import type { Destination, Store } from '../../../src/queue/types.ts';
import { PRIORITIES } from '../../../src/queue/types.ts';
import type { Chance } from './chance.ts';
import { messageOf, parcelIn, stopsText } from './parcel.ts';
import { createReceiver } from './receiver.ts';
import type { Report } from './report.ts';

const QUEUES = ['a', 'b', 'c', 'd', 'e', 'f'];
const NAMES = 24;

/** Messages that may wait in one queue, and appends that may be unsettled. */
const MOST_WAITING = 600;
const MOST_UNSETTLED = 300;

/** Longer than any of these tests: it is kept, indexed, and never due. */
const TTL = 24 * 3_600_000;

/** Puts a store under load until the process ends; `depths` is what its queues hold, `first` the first number. */
export function putUnderLoad(
  store: Store,
  depths: Map<string, number>,
  first: number,
  chance: Chance,
  report: Report,
): void {
  let number = first;
  let unsettled = 0;
  let checkpoints = 0;
  const depthOf = (queue: string): number => depths.get(queue) ?? 0;
  const left = (queue: string): void => void depths.set(queue, depthOf(queue) - 1);

  const destinations = (): Destination[] =>
    QUEUES.filter(queue => depthOf(queue) < MOST_WAITING && chance.percent(25)).map(queue => ({
      queue,
      priority: chance.percent(70) ? 9 : chance.below(PRIORITIES),
      ttl: chance.percent(10) ? TTL - chance.below(TTL / 2) : undefined,
    }));

  const append = (): void => {
    const stops = destinations();
    if (stops.length === 0) return;
    const parcel = { number: ++number, stops };
    for (const { queue } of stops) depths.set(queue, depthOf(queue) + 1);
    unsettled++;
    store.append(messageOf(parcel, lengthFrom(chance)), stops, error => {
      unsettled--;
      if (error === undefined) report('promised', parcel.number, stopsText(stops));
    });
  };

  const put = (): void => {
    const name = `state/${chance.below(NAMES)}`;
    const value = chance.percent(20) ? undefined : `${++number}`;
    report('putting', name, value ?? 'none');
    store.put(name, value === undefined ? undefined : Buffer.from(value), error => {
      if (error === undefined) report('put', name, value ?? 'none');
    });
  };

  /** Takes an entry out of the middle of a queue, as an operator would. */
  const drop = (queue: string): void => {
    const entry = store.peek(queue, 5).at(-1);
    const parcel = parcelIn(entry?.message);
    if (entry === undefined || parcel === undefined) return;
    report('leaving', queue, parcel.number);
    store.drop(queue, entry.sequence, error => {
      if (error === undefined) report('left', queue, parcel.number);
    });
  };

  const purge = (queue: string): void => {
    report('purged', queue, number);
    depths.set(queue, 0);
    store.purge(queue);
  };

  const tellCheckpoints = (): void => {
    const count = store.counts().checkpoints;
    if (count > checkpoints) report('checkpoints', count - checkpoints);
    checkpoints = count;
  };

  const receivers = QUEUES.map(queue => createReceiver(store, queue, chance, report, () => left(queue)));
  const queue = (): string => QUEUES[chance.below(QUEUES.length)] ?? 'a';
  const turn = (): void => {
    for (let burst = chance.below(24); burst > 0 && unsettled < MOST_UNSETTLED; burst--) append();
    for (const receiver of receivers) if (chance.percent(40)) receiver.work();
    if (chance.percent(20)) put();
    if (chance.percent(3)) drop(queue());
    if (chance.below(1000) < 3) purge(queue());
    tellCheckpoints();
    if (chance.percent(50)) setImmediate(turn);
    else setTimeout(turn, chance.below(4));
  };
  turn();
}

/** Most are small, some too large to lie with their entry, some larger than a page. */
function lengthFrom(chance: Chance): number {
  const kind = chance.below(100);
  if (kind < 60) return 10 + chance.below(200);
  if (kind < 85) return 500 + chance.below(1000);
  return 1_600 + chance.below(5_000);
}
