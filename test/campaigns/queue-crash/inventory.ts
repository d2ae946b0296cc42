import type { Store } from '../../../src/queue/types.ts';
import type { Stop } from './parcel.ts';
import { parcelIn } from './parcel.ts';
import type { Report } from './report.ts';

/** Tells what an opened store holds, taking nothing, and how much each queue holds. */
export function takeInventory(store: Store, report: Report): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { queue, depth } of store.stats()) {
    depths.set(queue, depth);
    report('depth', queue, depth);
    tellEntries(store, queue, report);
  }
  for (const { queue, priority, message } of store.deadLetters.list()) {
    const parcel = parcelIn(message);
    if (parcel === undefined || !belongs(parcel.stops, queue, priority)) report('damaged', queue, 'letter');
    else report('letter', queue, parcel.number);
  }
  for (const name of [...store.names('state/'), ...store.names('note/')]) {
    report('state', name, store.get(name)?.toString() ?? 'none');
  }
  const { setAside } = store.health();
  if (setAside !== undefined) report('damaged', 'store', setAside);
  report('opened');
  return depths;
}

function tellEntries(store: Store, queue: string, report: Report): void {
  const drain = store.drain(queue, {
    window: Number.POSITIVE_INFINITY,
    send: ({ message, priority }) => {
      const parcel = parcelIn(message);
      if (parcel === undefined || !belongs(parcel.stops, queue, priority)) report('damaged', queue, 'entry');
      else report('entry', queue, priority, parcel.number);
      return true;
    },
  });
  drain.wake();
  drain.stop();
}

function belongs(stops: readonly Stop[], queue: string, priority: number): boolean {
  return stops.some(stop => stop.queue === queue && stop.priority === priority);
}
