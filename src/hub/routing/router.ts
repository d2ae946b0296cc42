import { healthTopic } from '../../broker/access/access.ts';
import type { Broker } from '../../broker/broker.ts';
import type { CountForwarded } from '../../broker/types.ts';
import { settleAfter } from '../../core/async/settle-after.ts';
import { MAX_PERSISTENT_SESSIONS } from '../../core/limits.ts';
import type { Message, OnDurable, Origin } from '../../core/message.ts';
import { DEFAULT_UPSTREAM } from '../../core/message.ts';
import type { Destination, MetadataEntry, Store } from '../../queue/types.ts';
import type { Dispatcher } from '../../routes/dispatcher.ts';
import { createDispatcher } from '../../routes/dispatcher.ts';
import type { Sink } from '../../routes/tree.ts';
import { inputQueue, upstreamQueue } from '../queue-names.ts';
import { createSubject, sourceOf } from './subject.ts';

/** Priority of messages in the queues of MQTT sessions. This is also the default priority of routes. */
export const SESSION_PRIORITY = 9;

/** Maximum bytes of a module's health report. Further bytes are ignored. */
const MAX_HEALTH_TEXT = 256;

const NONE: readonly string[] = [];

export type RouterCounts = {
  /** Number of received messages. */
  routed: number;
  /** Number of messages that matched no route and no subscription. These messages are not stored. */
  untaken: number;
};

export type Router = {
  /**
   * Delivers a message to its subscribers and to the sinks of matching routes. A message from an upstream is
   * delivered by routes only. Calls `settle` when the message is durable in all queues. Stores the metadata
   * value `note` atomically with the message. Returns the number of destinations.
   */
  readonly route: (message: Message, settle: OnDurable, note?: MetadataEntry) => number;
  /**
   * Returns a function that counts the messages that the broker delivers without the router (fast path).
   * Undefined if messages from `origin` on `topic` need the router, because a route can match them or because
   * they are health reports.
   */
  readonly fastPathCounter: (origin: Origin, topic: string) => CountForwarded | undefined;
  /** Replaces the routes and the device name. */
  readonly use: (device: string, dispatcher: Dispatcher) => void;
  readonly counts: () => Readonly<RouterCounts>;
};

export type RouterSettings = {
  /** Returns the wall time in milliseconds. */
  readonly wall: () => number;
  readonly store: Store;
  readonly broker: Broker;
  /** Called when a module reports its health over MQTT. */
  readonly health: (module: string, well: boolean, text: string) => void;
};

/** Texts of a health report, in lower case, that mean healthy. Any other text means unhealthy. */
const WELL: ReadonlySet<string> = new Set(['', 'ok', 'ready', 'true', 'well']);

export function createRouter(settings: RouterSettings): Router {
  const { wall, store, broker } = settings;
  let dispatcher = createDispatcher([]);
  let subject = createSubject('', wall);
  const counts: RouterCounts = { routed: 0, untaken: 0 };

  const destinations = new Map<string, Destination>();
  /**
   * Returns the destination for a session's queue. Destinations are cached, because many messages go to the
   * same queue.
   */
  const sessionDestination = (queue: string): Destination => {
    const known = destinations.get(queue);
    if (known !== undefined) return known;
    if (destinations.size >= MAX_PERSISTENT_SESSIONS) destinations.clear();
    const destination = { queue, priority: SESSION_PRIORITY, ttl: undefined };
    destinations.set(queue, destination);
    return destination;
  };

  /**
   * Delivers a message to its subscribers. Adds to `wanted` the queues in which the message must be stored.
   * Returns the number of subscribers.
   */
  const deliver = (message: Message, wanted: Destination[]): number => {
    const queues: string[] = [];
    const takers = broker.deliver(message, queues);
    for (const queue of queues) wanted.push(sessionDestination(queue));
    return takers;
  };

  const keep = (
    message: Message,
    wanted: readonly Destination[],
    settle: OnDurable,
    note: MetadataEntry | undefined,
  ): void => {
    if (wanted.length === 0 && note === undefined) settle();
    else store.append(message, wanted, settle, note);
  };

  /**
   * Evaluates the routes for a message. Adds the queues of matching routes to `wanted`. Returns the topics on
   * which matching routes publish the message.
   */
  const dispatch = (message: Message, wanted: Destination[]): string[] => {
    const topics: string[] = [];
    dispatcher.dispatch(subject.of(message), (sink, priority, ttl) => {
      if (sink.kind === 'topic') topics.push(sink.topic);
      else wanted.push({ queue: queueOf(sink), priority, ttl });
    });
    return topics;
  };

  const countForwarded: CountForwarded = (messages, receivers) => {
    counts.routed += messages;
    if (receivers === 0) counts.untaken += messages;
  };

  return {
    route: (message, settle, note) => {
      counts.routed++;
      const wanted: Destination[] = [];
      let destinationCount = message.origin.kind === 'upstream' ? 0 : deliver(message, wanted);
      const subscribed = wanted.length;
      const isHealthReport = isHealth(message.origin, message.topic);
      if (isHealthReport) hearHealth(message, settings.health);
      const concerned = !isHealthReport && dispatcher.concerns(sourceOf(message.origin), message.topic);
      const topics = concerned ? dispatch(message, wanted) : NONE;
      destinationCount += wanted.length - subscribed + topics.length;
      if (destinationCount === 0) counts.untaken++;
      const part = topics.length === 0 ? settle : settleAfter(1 + topics.length, settle);
      keep(message, wanted, part, note);
      // A message that a route publishes is delivered to subscribers only. If routes applied to this message
      // again, they could form a loop.
      for (const topic of topics) {
        const relayed = { ...message, topic };
        const queues: Destination[] = [];
        deliver(relayed, queues);
        keep(relayed, queues, part, note);
      }
      return destinationCount;
    },
    fastPathCounter: (origin, topic) => {
      const looked = isHealth(origin, topic) || dispatcher.concerns(sourceOf(origin), topic);
      return looked ? undefined : countForwarded;
    },
    use: (device, wanted) => {
      dispatcher = wanted;
      subject = createSubject(device, wall);
    },
    counts: () => counts,
  };
}

/** True if the message is a module's health report. Routes do not apply to health reports. */
function isHealth(origin: Origin, topic: string): boolean {
  return origin.kind === 'module' && origin.output === '' && topic === healthTopic(origin.module);
}

function hearHealth({ origin, body }: Message, health: RouterSettings['health']): void {
  if (origin.kind !== 'module') return;
  const text = body.toString('utf8', 0, MAX_HEALTH_TEXT).trim();
  health(origin.module, WELL.has(text.toLowerCase()), text);
}

function queueOf(sink: Exclude<Sink, { readonly kind: 'topic' }>): string {
  if (sink.kind === 'input') return inputQueue(sink.module, sink.input);
  return upstreamQueue(sink.name ?? DEFAULT_UPSTREAM);
}
