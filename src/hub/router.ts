import type { Broker } from '../broker/broker.ts';
import type { CountPassed } from '../broker/types.ts';
import type { Message, Origin, Settle } from '../core/message.ts';
import type { Destination, Note, Store } from '../queue/types.ts';
import type { Dispatcher } from '../routes/dispatcher.ts';
import type { Sink } from '../routes/tree.ts';
import { inputQueue, UPSTREAM_QUEUE } from './names.ts';
import { sourceOf, subjectOf } from './subject.ts';

/** Priority of what waits for an MQTT session: as a route that names none. */
export const SESSION_PRIORITY = 9;

export type RouterCounts = {
  /** Messages that came in. */
  routed: number;
  /** Messages that no route and no subscription took: they are not kept. */
  untaken: number;
};

export type Router = {
  /**
   * Sends a message where its routes and subscribers are; `settle` once it is safe with all of them, and the note is
   * kept with it. Returns how many take it.
   */
  readonly route: (message: Message, settle: Settle, note?: Note) => number;
  /** What counts messages of `origin` on `topic` that the broker passes on by itself; undefined: a route may take them. */
  readonly passing: (origin: Origin, topic: string) => CountPassed | undefined;
  readonly counts: () => Readonly<RouterCounts>;
};

export type RouterSettings = {
  readonly device: string;
  readonly dispatcher: Dispatcher;
  readonly store: Store;
  readonly broker: Broker;
};

export function createRouter({ device, dispatcher, store, broker }: RouterSettings): Router {
  const counts: RouterCounts = { routed: 0, untaken: 0 };

  /** Hands a message to its subscribers; returns how many there are and adds the queues of the durable ones. */
  const deliver = (message: Message, destinations: Destination[]): number =>
    broker.deliver(message, queue => {
      destinations.push({ queue, priority: SESSION_PRIORITY, ttl: undefined });
    });

  const keep = (
    message: Message,
    destinations: readonly Destination[],
    settle: Settle,
    note: Note | undefined,
  ): void => {
    if (destinations.length === 0 && note === undefined) settle();
    else store.append(message, destinations, settle, note);
  };

  const countPassed: CountPassed = (messages, receivers) => {
    counts.routed += messages;
    if (receivers === 0) counts.untaken += messages;
  };

  return {
    route: (message, settle, note) => {
      counts.routed++;
      const destinations: Destination[] = [];
      const topics: string[] = [];
      let taken = deliver(message, destinations);
      dispatcher.dispatch(subjectOf(message, device), (sink, priority, ttl) => {
        taken++;
        if (sink.kind === 'topic') topics.push(sink.topic);
        else destinations.push({ queue: queueOf(sink), priority, ttl });
      });
      if (taken === 0) counts.untaken++;
      const part = topics.length === 0 ? settle : settleAfter(1 + topics.length, settle);
      keep(message, destinations, part, note);
      // What a route puts on a topic goes to subscribers, not through the routes again: there is no loop.
      for (const topic of topics) {
        const relayed = { ...message, topic };
        const queues: Destination[] = [];
        deliver(relayed, queues);
        keep(relayed, queues, part, note);
      }
      return taken;
    },
    passing: (origin, topic) => (dispatcher.concerns(sourceOf(origin), topic) ? undefined : countPassed),
    counts: () => counts,
  };
}

function queueOf(sink: Exclude<Sink, { readonly kind: 'topic' }>): string {
  return sink.kind === 'upstream' ? UPSTREAM_QUEUE : inputQueue(sink.module, sink.input);
}

/** A settle that passes on after `parts` calls, with the first error of any. */
function settleAfter(parts: number, settle: Settle): Settle {
  let open = parts;
  let failure: Error | undefined;
  return error => {
    failure ??= error;
    if (--open === 0) settle(failure);
  };
}
