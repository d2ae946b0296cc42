import { MAX_REMEMBERED_MATCHES, MAX_REMEMBERED_TOPIC } from '../core/limits.ts';
import type { QoS } from '../core/message.ts';

type Node<Subscriber> = {
  readonly children: Map<string, Node<Subscriber>>;
  readonly subscribers: Map<Subscriber, QoS>;
};

/** Who subscribed to what, as a tree of topic levels. Filters and topics are valid when they come here. */
export type SubscriptionTree<Subscriber> = {
  readonly add: (filter: string, subscriber: Subscriber, qos: QoS) => void;
  readonly remove: (filter: string, subscriber: Subscriber) => void;
  /** Subscribers of a topic, each once, with the best QoS of its overlapping filters (MQTT 3.1.1, 3.3.5). */
  readonly match: (topic: string) => ReadonlyMap<Subscriber, QoS>;
  /** Changes with every subscription. */
  readonly version: () => number;
};

export function createSubscriptionTree<Subscriber>(): SubscriptionTree<Subscriber> {
  const root = emptyNode<Subscriber>();
  /** By topic, until a subscription changes: most topics are published on again and again. */
  const remembered = new Map<string, ReadonlyMap<Subscriber, QoS>>();
  let places = 0;
  let version = 0;

  const forget = (): void => {
    remembered.clear();
    places = 0;
  };

  const changed = (): void => {
    forget();
    version++;
  };

  const remember = (topic: string, found: ReadonlyMap<Subscriber, QoS>): void => {
    if (topic.length > MAX_REMEMBERED_TOPIC) return;
    if (places > MAX_REMEMBERED_MATCHES) forget();
    places += 1 + found.size;
    remembered.set(topic, found);
  };

  const removeFrom = (
    node: Node<Subscriber>,
    levels: readonly string[],
    at: number,
    who: Subscriber,
  ): void => {
    const level = levels[at];
    if (level === undefined) {
      node.subscribers.delete(who);
      return;
    }
    const child = node.children.get(level);
    if (child === undefined) return;
    removeFrom(child, levels, at + 1, who);
    if (child.children.size === 0 && child.subscribers.size === 0) node.children.delete(level);
  };

  return {
    add: (filter, subscriber, qos) => {
      changed();
      let node = root;
      for (const level of filter.split('/')) {
        let child = node.children.get(level);
        if (child === undefined) {
          child = emptyNode();
          node.children.set(level, child);
        }
        node = child;
      }
      node.subscribers.set(subscriber, qos);
    },
    remove: (filter, subscriber) => {
      changed();
      removeFrom(root, filter.split('/'), 0, subscriber);
    },
    match: topic => {
      const known = remembered.get(topic);
      if (known !== undefined) return known;
      const found = new Map<Subscriber, QoS>();
      collect(root, topic.split('/'), 0, found);
      remember(topic, found);
      return found;
    },
    version: () => version,
  };
}

function emptyNode<Subscriber>(): Node<Subscriber> {
  return { children: new Map(), subscribers: new Map() };
}

function collect<Subscriber>(
  node: Node<Subscriber>,
  levels: readonly string[],
  at: number,
  found: Map<Subscriber, QoS>,
): void {
  const level = levels[at];
  // A wildcard at the first level spares topics that begin with `$` (MQTT 3.1.1, 4.7.2-1).
  const wild = at > 0 || level?.startsWith('$') !== true;
  const rest = wild ? node.children.get('#') : undefined;
  if (rest !== undefined) merge(rest, found);
  if (level === undefined) {
    merge(node, found);
    return;
  }
  const exact = node.children.get(level);
  if (exact !== undefined) collect(exact, levels, at + 1, found);
  const any = wild ? node.children.get('+') : undefined;
  if (any !== undefined) collect(any, levels, at + 1, found);
}

function merge<Subscriber>(node: Node<Subscriber>, found: Map<Subscriber, QoS>): void {
  for (const [subscriber, qos] of node.subscribers) {
    const known = found.get(subscriber);
    if (known === undefined || known < qos) found.set(subscriber, qos);
  }
}
