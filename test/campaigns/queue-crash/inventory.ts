import type { Store } from '../../../src/queue/types.ts';
import type { LoadDestination } from './load-message.ts';
import { loadMessageIn } from './load-message.ts';
import type { Report } from './report.ts';

/** Reports the content of an opened store without changing it. Returns the depth of each queue. */
export function takeInventory(store: Store, report: Report): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { queue, depth } of store.stats()) {
    depths.set(queue, depth);
    report('depth', queue, depth);
    tellEntries(store, queue, report);
  }
  for (const { queue, priority, message } of store.deadLetters.list()) {
    const loadMessage = loadMessageIn(message);
    if (loadMessage === undefined || !belongs(loadMessage.destinations, queue, priority))
      report('damaged', queue, 'letter');
    else report('letter', queue, loadMessage.number);
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
      const loadMessage = loadMessageIn(message);
      if (loadMessage === undefined || !belongs(loadMessage.destinations, queue, priority))
        report('damaged', queue, 'entry');
      else report('entry', queue, priority, loadMessage.number);
      return true;
    },
  });
  drain.wake();
  drain.stop();
}

function belongs(destinations: readonly LoadDestination[], queue: string, priority: number): boolean {
  return destinations.some(stop => stop.queue === queue && stop.priority === priority);
}
