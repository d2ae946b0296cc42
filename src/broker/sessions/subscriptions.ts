import type { QoS } from '../../core/message.ts';
import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import { MAX_CACHED_MATCHES } from '../limits.ts';
import { addTo, newNode, nodeFor, pathTo, prune, removeFrom, visitMatches } from './filter-tree.ts';

/** Options of a subscription (MQTT 5, 3.8.3.1). */
export type Subscription = {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Subscription Identifier. Undefined if the SUBSCRIBE had no identifier. */
  readonly id: number | undefined;
};

/** Options with which a message is sent to a subscriber. */
export type DeliveryOptions = {
  /** Maximum QoS at which the message is sent. */
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  /** Subscription Identifiers of all matching subscriptions. */
  readonly ids: readonly number[];
};

/**
 * Combined options of all subscriptions of one subscriber that match a topic. The subscriber receives one
 * copy of each message (MQTT 5, 3.3.4).
 */
export type SubscriberOptions = DeliveryOptions & {
  /**
   * Options for messages that the subscriber itself has published. Undefined if all matching subscriptions
   * have No Local. In this case the subscriber does not receive its own messages.
   */
  readonly own: DeliveryOptions | undefined;
};

/** Subscriber with a subscription that matches a topic. */
export type MatchedSubscriber<Subscriber> = {
  readonly subscriber: Subscriber;
  readonly options: SubscriberOptions;
};

/**
 * Subscribers that match a topic: `all` is an array for fast iteration, and `get` returns the options of one
 * subscriber.
 */
export type Receivers<Subscriber> = {
  readonly all: readonly MatchedSubscriber<Subscriber>[];
  readonly get: (subscriber: Subscriber) => SubscriberOptions | undefined;
};

/** Tree of all subscriptions by topic filter. Filters and topics must be valid. */
export type SubscriptionTree<Subscriber> = {
  readonly add: (filter: string, subscriber: Subscriber, subscription: Subscription) => void;
  readonly remove: (filter: string, subscriber: Subscriber) => void;
  /** Returns the subscribers of a topic. */
  readonly match: (topic: string) => Receivers<Subscriber>;
  /**
   * Returns a number that changes with every change of a subscription and with every call of `invalidate`.
   */
  readonly version: () => number;
  /**
   * Called when a subscriber has connected, or when routes or access rules have changed. Clears the caches of
   * receivers.
   */
  readonly invalidate: () => void;
  /** Returns the number of subscriptions. */
  readonly count: () => number;
};

/**
 * Creates the tree. A subscriber for which `accepts` returns false does not receive messages on the topic,
 * even if its filters match. The caller must call `invalidate` when the results of `accepts` change.
 */
export function createSubscriptionTree<Subscriber>(
  accepts: (subscriber: Subscriber, topic: string) => boolean = () => true,
): SubscriptionTree<Subscriber> {
  const root = newNode<Subscriber>('');
  /** Receivers by topic. Cleared when a subscription changes. */
  const cache = new Map<string, Receivers<Subscriber>>();
  let cacheSize = 0;
  let version = 0;
  let count = 0;

  const clearCache = (): void => {
    cache.clear();
    cacheSize = 0;
  };

  const changed = (): void => {
    clearCache();
    version++;
  };

  const addToCache = (topic: string, receivers: Receivers<Subscriber>): void => {
    if (topic.length > MAX_CACHED_TOPIC_LENGTH) return;
    if (cacheSize > MAX_CACHED_MATCHES) clearCache();
    cacheSize += 1 + receivers.all.length;
    cache.set(topic, receivers);
  };

  return {
    add: (filter, subscriber, subscription) => {
      changed();
      if (addTo(nodeFor(root, filter), subscriber, subscription)) count++;
    },
    remove: (filter, subscriber) => {
      changed();
      const path = pathTo(root, filter);
      const node = path?.at(-1);
      if (path === undefined || node === undefined || !removeFrom(node, subscriber)) return;
      count--;
      prune(path);
    },
    match: topic => {
      const cached = cache.get(topic);
      if (cached !== undefined) return cached;
      const options = new Map<Subscriber, SubscriberOptions>();
      visitMatches(root, topic, (subscriber, subscription) => merge(subscriber, subscription, options));
      for (const subscriber of options.keys()) if (!accepts(subscriber, topic)) options.delete(subscriber);
      const receivers = {
        all: Array.from(options, ([subscriber, combined]) => ({ subscriber, options: combined })),
        get: (subscriber: Subscriber) => options.get(subscriber),
      };
      addToCache(topic, receivers);
      return receivers;
    },
    version: () => version,
    invalidate: changed,
    count: () => count,
  };
}

/** Adds a matching subscription to the combined options of its subscriber. */
function merge<Subscriber>(
  subscriber: Subscriber,
  subscription: Subscription,
  found: Map<Subscriber, SubscriberOptions>,
): void {
  const known = found.get(subscriber);
  const own = subscription.noLocal ? known?.own : combined(known?.own, subscription);
  found.set(subscriber, { ...combined(known, subscription), own });
}

/**
 * Combines `known` options with a further subscription: the maximum QoS, and all Subscription Identifiers
 * [MQTT-3.3.4-2], [MQTT-3.3.4-3].
 */
function combined(known: DeliveryOptions | undefined, subscription: Subscription): DeliveryOptions {
  const { id } = subscription;
  const ids = known?.ids ?? [];
  return {
    qos: known !== undefined && known.qos > subscription.qos ? known.qos : subscription.qos,
    retainAsPublished: known?.retainAsPublished === true || subscription.retainAsPublished,
    ids: id === undefined ? ids : [...ids, id],
  };
}
