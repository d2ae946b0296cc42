import type { QoS } from '../../core/message.ts';
import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import { MAX_CACHED_MATCHES } from '../limits.ts';
import { addTo, newNode, nodeFor, pathTo, prune, removeFrom, visitMatches } from './filter-tree.ts';

/** Subscription of a client (MQTT 5, 3.8.3.1). */
export type Subscription = {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Subscription identifier. Undefined if there is none. */
  readonly id: number | undefined;
};

/** Delivery options of a message for a subscriber. */
export type Allowance = {
  /** Maximum QoS. */
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  readonly ids: readonly number[];
};

/** Combined options of all matching subscriptions of one subscriber, which gets one copy (MQTT 5, 3.3.4). */
export type DeliveryOptions = Allowance & {
  /** Options for its own messages. Undefined with No Local. */
  readonly own: Allowance | undefined;
};

/** Subscriber that matches a topic, and its delivery options. */
export type MatchedSubscriber<Subscriber> = {
  readonly subscriber: Subscriber;
  readonly grant: DeliveryOptions;
};

/** Receivers of a topic: as an array for fast iteration, and by subscriber. */
export type Receivers<Subscriber> = {
  readonly all: readonly MatchedSubscriber<Subscriber>[];
  readonly get: (subscriber: Subscriber) => DeliveryOptions | undefined;
};

/** Tree of subscriptions by topic level. Filters and topics must be valid. */
export type SubscriptionTree<Subscriber> = {
  readonly add: (filter: string, subscriber: Subscriber, subscription: Subscription) => void;
  readonly remove: (filter: string, subscriber: Subscriber) => void;
  readonly match: (topic: string) => Receivers<Subscriber>;
  /** Version that changes with every subscription and each `renew`. */
  readonly version: () => number;
  /** Invalidates cached receivers after a change of a subscriber. */
  readonly renew: () => void;
  readonly count: () => number;
};

/**
 * Creates the tree. `accepts` excludes subscribers from a topic that their filters match; when its results
 * change, call `renew`.
 */
export function createSubscriptionTree<Subscriber>(
  accepts: (subscriber: Subscriber, topic: string) => boolean = () => true,
): SubscriptionTree<Subscriber> {
  const root = newNode<Subscriber>('');
  /** Cache by topic, until a subscription changes, because most topics repeat. */
  const remembered = new Map<string, Receivers<Subscriber>>();
  let places = 0;
  let version = 0;
  let count = 0;

  const forget = (): void => {
    remembered.clear();
    places = 0;
  };

  const changed = (): void => {
    forget();
    version++;
  };

  const remember = (topic: string, found: Receivers<Subscriber>): void => {
    if (topic.length > MAX_CACHED_TOPIC_LENGTH) return;
    if (places > MAX_CACHED_MATCHES) forget();
    places += 1 + found.all.length;
    remembered.set(topic, found);
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
      const known = remembered.get(topic);
      if (known !== undefined) return known;
      const grants = new Map<Subscriber, DeliveryOptions>();
      visitMatches(root, topic, (subscriber, subscription) => merge(subscriber, subscription, grants));
      for (const subscriber of grants.keys()) if (!accepts(subscriber, topic)) grants.delete(subscriber);
      const found = {
        all: Array.from(grants, ([subscriber, grant]) => ({ subscriber, grant })),
        get: (subscriber: Subscriber) => grants.get(subscriber),
      };
      remember(topic, found);
      return found;
    },
    version: () => version,
    renew: changed,
    count: () => count,
  };
}

function merge<Subscriber>(
  subscriber: Subscriber,
  subscription: Subscription,
  found: Map<Subscriber, DeliveryOptions>,
): void {
  const known = found.get(subscriber);
  const own = subscription.noLocal ? known?.own : joined(known?.own, subscription);
  found.set(subscriber, { ...joined(known, subscription), own });
}

/** Combines two subscriptions: maximum QoS and all identifiers (MQTT 5, 3.3.4-2 and 3.3.4-3). */
function joined(known: Allowance | undefined, subscription: Subscription): Allowance {
  const { id } = subscription;
  const ids = known?.ids ?? [];
  return {
    qos: known !== undefined && known.qos > subscription.qos ? known.qos : subscription.qos,
    retainAsPublished: known?.retainAsPublished === true || subscription.retainAsPublished,
    ids: id === undefined ? ids : [...ids, id],
  };
}
