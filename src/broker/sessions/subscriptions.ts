import type { QoS } from '../../core/message.ts';
import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import { MAX_CACHED_MATCHES } from '../limits.ts';
import { addTo, newNode, nodeFor, pathTo, prune, removeFrom, visitMatches } from './filter-tree.ts';

/** What a client asked for with one topic filter (MQTT 5, 3.8.3.1). */
export type Subscription = {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** The subscription identifier; undefined: none was given. */
  readonly id: number | undefined;
};

/** How a subscriber gets a message. */
export type Allowance = {
  /** At most. */
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  readonly ids: readonly number[];
};

/** What all subscriptions of one subscriber that take in a topic say together: one copy (MQTT 5, 3.3.4). */
export type Grant = Allowance & {
  /** The same for what it published itself; undefined: it does not want it (No Local). */
  readonly own: Allowance | undefined;
};

/** One who gets a message, and how. */
export type Receiver<Subscriber> = { readonly subscriber: Subscriber; readonly grant: Grant };

/** Who gets the messages of a topic: as a list, which costs nothing to go through, and by subscriber. */
export type Receivers<Subscriber> = {
  readonly all: readonly Receiver<Subscriber>[];
  readonly get: (subscriber: Subscriber) => Grant | undefined;
};

/** Who subscribed to what, as a tree of topic levels. Filters and topics are valid when they come here. */
export type SubscriptionTree<Subscriber> = {
  readonly add: (filter: string, subscriber: Subscriber, subscription: Subscription) => void;
  readonly remove: (filter: string, subscriber: Subscriber) => void;
  readonly match: (topic: string) => Receivers<Subscriber>;
  /** Changes with every subscription, and with each `renew`. */
  readonly version: () => number;
  /** A subscriber is another than it was: who remembers how messages go to it must look again. */
  readonly renew: () => void;
  readonly count: () => number;
};

/** `accepts` excludes subscribers from a topic that their filters match; a change of its answers asks for `renew`. */
export function createSubscriptionTree<Subscriber>(
  accepts: (subscriber: Subscriber, topic: string) => boolean = () => true,
): SubscriptionTree<Subscriber> {
  const root = newNode<Subscriber>('');
  /** By topic, until a subscription changes: most topics are published on again and again. */
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
      const grants = new Map<Subscriber, Grant>();
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
  found: Map<Subscriber, Grant>,
): void {
  const known = found.get(subscriber);
  const own = subscription.noLocal ? known?.own : joined(known?.own, subscription);
  found.set(subscriber, { ...joined(known, subscription), own });
}

/** The best QoS, and every identifier (MQTT 5, 3.3.4-2 and 3.3.4-3). */
function joined(known: Allowance | undefined, subscription: Subscription): Allowance {
  const { id } = subscription;
  const ids = known?.ids ?? [];
  return {
    qos: known !== undefined && known.qos > subscription.qos ? known.qos : subscription.qos,
    retainAsPublished: known?.retainAsPublished === true || subscription.retainAsPublished,
    ids: id === undefined ? ids : [...ids, id],
  };
}
