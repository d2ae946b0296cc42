import type { Destination, MetadataEntry, Store } from '../../../src/queue/types.ts';
import { PRIORITIES } from '../../../src/queue/types.ts';
import type { Chance } from './chance.ts';
import { formatDestinations, loadMessageIn, messageOf } from './load-message.ts';
import { createReceiver } from './receiver.ts';
import type { Report } from './report.ts';

const QUEUES = ['a', 'b', 'c', 'd', 'e', 'f'];
const NAMES = 24;

/** Maximum messages in one queue. */
const MAX_WAITING = 600;

/** Maximum unsettled appends. */
const MAX_UNSETTLED = 300;

/** Milliseconds, longer than any test, so that expiry is indexed and never happens. */
const TTL = 24 * 3_600_000;

/**
 * Puts a store under load until the process ends. `depths` has the depth of each queue, `first` is the first
 * number.
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

  const randomDestinations = (): Destination[] =>
    QUEUES.filter(queue => depthOf(queue) < MAX_WAITING && chance.percent(25)).map(queue => ({
      queue,
      priority: chance.percent(70) ? 9 : chance.below(PRIORITIES),
      ttl: chance.percent(10) ? TTL - chance.below(TTL / 2) : undefined,
    }));

  /** Appends a message, and a metadata value if given. Calls `promised` when the append is durable. */
  const append = (note?: MetadataEntry, promised?: () => void): void => {
    const destinations = randomDestinations();
    if (destinations.length === 0) return;
    const loadMessage = { number: ++number, destinations };
    for (const { queue } of destinations) depths.set(queue, depthOf(queue) + 1);
    unsettled++;
    if (note !== undefined) report('firm', loadMessage.number, note.name, formatDestinations(destinations));
    const told = (error?: Error): void => {
      unsettled--;
      if (error === undefined) report('promised', loadMessage.number, formatDestinations(destinations));
      if (error === undefined) promised?.();
    };
    store.append(messageOf(loadMessage, lengthFrom(chance)), destinations, told, note);
  };

  const put = (name: string, value: string | undefined): void => {
    report('putting', name, value ?? 'none');
    store.put(name, value === undefined ? undefined : Buffer.from(value), error => {
      if (error === undefined) report('put', name, value ?? 'none');
    });
  };

  /** Appends messages with one metadata value, as at QoS 2. Most of these values are deleted soon. */
  const appendWithMetadata = (): void => {
    const name = `note/${number + 1}`;
    report('putting', name, 'kept');
    for (let parts = 1 + chance.below(3); parts > 0; parts--) {
      append({ name, value: Buffer.from('kept') }, () => report('put', name, 'kept'));
    }
    if (chance.percent(80)) setTimeout(() => put(name, undefined), chance.below(100));
  };

  /** Drops an entry from the middle of a queue. */
  const drop = (queue: string): void => {
    const entry = store.peek(queue, 5).at(-1);
    const loadMessage = loadMessageIn(entry?.message);
    if (entry === undefined || loadMessage === undefined) return;
    report('leaving', queue, loadMessage.number);
    store.drop(queue, entry.sequence, error => {
      if (error === undefined) report('left', queue, loadMessage.number);
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
    for (let burst = chance.below(24); burst > 0 && unsettled < MAX_UNSETTLED; burst--) {
      if (chance.percent(30)) appendWithMetadata();
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

/** Random body length: small, too large for the record of its entry, or larger than a page. */
function lengthFrom(chance: Chance): number {
  const kind = chance.below(100);
  if (kind < 60) return 10 + chance.below(200);
  if (kind < 85) return 500 + chance.below(1000);
  return 1_600 + chance.below(5_000);
}
