import type { Destination, MetadataEntry, Store } from '../../../src/queue/types.ts';
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

/**
 * Puts a store under load until the process ends; `depths` is what its queues hold, `first` the first number.
 */
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

  /** Appends a message, together with `note` if there is one; `promised` once it is there for good. */
  const append = (note?: MetadataEntry, promised?: () => void): void => {
    const stops = destinations();
    if (stops.length === 0) return;
    const parcel = { number: ++number, stops };
    for (const { queue } of stops) depths.set(queue, depthOf(queue) + 1);
    unsettled++;
    if (note !== undefined) report('firm', parcel.number, note.name, stopsText(stops));
    const told = (error?: Error): void => {
      unsettled--;
      if (error === undefined) report('promised', parcel.number, stopsText(stops));
      if (error === undefined) promised?.();
    };
    store.append(messageOf(parcel, lengthFrom(chance)), stops, told, note);
  };

  const put = (name: string, value: string | undefined): void => {
    report('putting', name, value ?? 'none');
    store.put(name, value === undefined ? undefined : Buffer.from(value), error => {
      if (error === undefined) report('put', name, value ?? 'none');
    });
  };

  /** Messages of one sender that come with a note, as at QoS 2; most notes are taken back soon. */
  const appendFirmly = (): void => {
    const name = `note/${number + 1}`;
    report('putting', name, 'kept');
    for (let parts = 1 + chance.below(3); parts > 0; parts--) {
      append({ name, value: Buffer.from('kept') }, () => report('put', name, 'kept'));
    }
    if (chance.percent(80)) setTimeout(() => put(name, undefined), chance.below(100));
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
    for (let burst = chance.below(24); burst > 0 && unsettled < MOST_UNSETTLED; burst--) {
      if (chance.percent(30)) appendFirmly();
      else append();
    }
    for (const receiver of receivers) if (chance.percent(40)) receiver.work();
    if (chance.percent(20))
      put(`state/${chance.below(NAMES)}`, chance.percent(20) ? undefined : `${++number}`);
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
