import type { Drain, QueueEntry, Store } from '../../../src/queue/types.ts';
import type { Chance } from './chance.ts';
import { loadMessageIn } from './load-message.ts';
import type { Report } from './report.ts';

/** Receiver of one queue with a random speed that is sometimes offline. */
export type Receiver = {
  /** Acknowledges, rejects or retries some of its entries. */
  readonly work: () => void;
};

/** Creates a receiver that calls `left` for each removed entry. */
export function createReceiver(
  store: Store,
  queue: string,
  chance: Chance,
  report: Report,
  left: () => void,
): Receiver {
  const window = chance.oneOf([1, 8, 50]);
  const atOnce = chance.oneOf([0, 5, 60]);
  let drain: Drain | undefined;
  let hand: QueueEntry[] = [];

  const numberOf = ({ message }: QueueEntry): number => loadMessageIn(message)?.number ?? -1;

  const acknowledge = (from: Drain, entry: QueueEntry): void => {
    const number = numberOf(entry);
    report('leaving', queue, number);
    left();
    from.acknowledge(entry, error => {
      if (error === undefined) report('left', queue, number);
    });
  };

  const start = (): Drain => {
    const started: Drain = store.drain(queue, {
      window,
      send: entry => {
        if (chance.percent(2)) return false;
        if (chance.percent(atOnce)) acknowledge(started, entry);
        else hand.push(entry);
        return true;
      },
    });
    return started;
  };

  const stop = (): void => {
    drain?.stop();
    drain = undefined;
    hand = [];
  };

  const decide = (from: Drain, entry: QueueEntry): void => {
    const fate = chance.below(1000);
    if (fate < 4) {
      report('refused', queue, numberOf(entry));
      left();
      from.reject(entry, 'the load says so');
    } else if (fate < 20) from.retry(entry, 'the load says so');
    else acknowledge(from, entry);
  };

  return {
    work: () => {
      if (chance.percent(1)) stop();
      if (drain === undefined && chance.percent(95)) return;
      drain ??= start();
      drain.wake();
      const working = drain;
      for (const entry of hand.splice(0, chance.below(window + 1))) decide(working, entry);
      if (chance.percent(50)) working.wake();
    },
  };
}
