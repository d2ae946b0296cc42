import type { Subscription } from './subscriptions.ts';

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

/**
 * Node of a radix tree of topic filters. Consecutive levels without a branch form one node. Therefore a
 * filter of any length adds at most two nodes.
 */
export type Node<Subscriber> = {
  /**
   * Levels of the filter between the parent and this node, joined by `/`. Wildcards are `+` and `#`. Empty in
   * the root.
   */
  label: string;
  /** True if `label` contains a wildcard. */
  hasWildcard: boolean;
  /** Child nodes. The key is the first level of the child's label. Undefined if the node has no children. */
  children: Map<string, Node<Subscriber>> | undefined;
  /**
   * First subscriber of the filter that ends at this node. Undefined if no filter ends here. Stored without a
   * map to save memory, because most filters have only one subscriber.
   */
  subscriber: Subscriber | undefined;
  /** Subscription of `subscriber`. */
  subscription: Subscription | undefined;
  /** Further subscribers of the filter. Undefined if the filter has at most one subscriber. */
  others: Map<Subscriber, Subscription> | undefined;
};

/** Callback for each subscription whose filter matches a topic. */
export type Visit<Subscriber> = (subscriber: Subscriber, subscription: Subscription) => void;

export function newNode<Subscriber>(label: string): Node<Subscriber> {
  return {
    label,
    hasWildcard: containsWildcard(label),
    children: undefined,
    subscriber: undefined,
    subscription: undefined,
    others: undefined,
  };
}

/** Returns the node at which `filter` ends. Creates the node if it does not exist. */
export function nodeFor<Subscriber>(root: Node<Subscriber>, filter: string): Node<Subscriber> {
  let node = root;
  for (let at = 0; at <= filter.length; ) {
    const key = levelAt(filter, at);
    const child = node.children?.get(key);
    if (child === undefined) {
      const leaf = newNode<Subscriber>(filter.slice(at));
      node.children ??= new Map();
      node.children.set(key, leaf);
      return leaf;
    }
    const common = commonLevels(child.label, filter, at);
    if (common < child.label.length) node = split(node, key, child, common);
    else node = child;
    at += common + 1;
  }
  return node;
}

/** Returns the nodes from the root to the node at which `filter` ends. Undefined if there is no such node. */
export function pathTo<Subscriber>(root: Node<Subscriber>, filter: string): Node<Subscriber>[] | undefined {
  const path = [root];
  for (let at = 0; at <= filter.length; ) {
    const child = path.at(-1)?.children?.get(levelAt(filter, at));
    if (child === undefined || commonLevels(child.label, filter, at) < child.label.length) return undefined;
    path.push(child);
    at += child.label.length + 1;
  }
  return path;
}

/**
 * Removes the last node of `path` if the node has no subscribers and no children. Then merges nodes that do
 * not branch.
 */
export function prune<Subscriber>(path: readonly Node<Subscriber>[]): void {
  const node = path.at(-1);
  const parent = path.at(-2);
  if (node === undefined || parent === undefined || hasSubscribers(node)) return;
  if (node.children === undefined) {
    parent.children?.delete(levelAt(node.label, 0));
    if (parent.children?.size === 0) parent.children = undefined;
    if (path.length > 2) mergeOnlyChild(parent);
  } else mergeOnlyChild(node);
}

/** Calls `visit` for each subscription whose filter matches `topic` (MQTT 5, 4.7). */
export function visitMatches<Subscriber>(
  root: Node<Subscriber>,
  topic: string,
  visit: Visit<Subscriber>,
): void {
  descend(root, topic, 0, visit);
}

/**
 * Visits all matching subscriptions of a node and its children. `at` is the offset in the topic of the next
 * level to match. When no level is left, `at` is greater than the length of the topic.
 */
function descend<Subscriber>(
  node: Node<Subscriber>,
  topic: string,
  at: number,
  visit: Visit<Subscriber>,
): void {
  const { children } = node;
  const isEnd = at > topic.length;
  if (isEnd) visitNode(node, visit);
  if (children === undefined) return;
  // A wildcard at the first level does not match topics that begin with `$` [MQTT-4.7.2-1].
  if (at > 0 || !topic.startsWith('$')) {
    const rest = children.get('#');
    if (rest !== undefined) visitNode(rest, visit);
    const any = isEnd ? undefined : children.get('+');
    if (any !== undefined) follow(any, topic, at, visit);
  }
  const exact = isEnd ? undefined : children.get(levelAt(topic, at));
  if (exact !== undefined) follow(exact, topic, at, visit);
}

function follow<Subscriber>(
  node: Node<Subscriber>,
  topic: string,
  at: number,
  visit: Visit<Subscriber>,
): void {
  const next = node.hasWildcard ? matchWildcards(node.label, topic, at) : matchPlain(node.label, topic, at);
  if (next !== undefined) descend(node, topic, next, visit);
}

/**
 * Compares a label without wildcards with the topic from offset `at` on. Returns the offset of the topic
 * level after the match. Undefined if the label does not match.
 */
function matchPlain(label: string, topic: string, at: number): number | undefined {
  const end = at + label.length;
  const matches = topic.startsWith(label, at) && (end === topic.length || topic.charCodeAt(end) === SLASH);
  return matches ? end + 1 : undefined;
}

/**
 * Compares a label with wildcards with the topic from offset `start` on. Returns the offset of the topic
 * level after the match. Undefined if the label does not match.
 */
function matchWildcards(label: string, topic: string, start: number): number | undefined {
  let at = start;
  for (let from = 0; from <= label.length; ) {
    const to = levelEnd(label, from);
    if (label.charCodeAt(from) === HASH) return topic.length + 1;
    if (at > topic.length) return undefined;
    const end = levelEnd(topic, at);
    const any = label.charCodeAt(from) === PLUS;
    if (!any && (end - at !== to - from || !topic.startsWith(label.slice(from, to), at))) return undefined;
    from = to + 1;
    at = end + 1;
  }
  return at;
}

function visitNode<Subscriber>(node: Node<Subscriber>, visit: Visit<Subscriber>): void {
  const { subscriber, subscription, others } = node;
  if (subscriber === undefined || subscription === undefined) return;
  visit(subscriber, subscription);
  if (others !== undefined) for (const [other, itsSubscription] of others) visit(other, itsSubscription);
}

/**
 * Adds or replaces a subscription. Returns false if the subscriber already had a subscription for this
 * filter.
 */
export function addTo<Subscriber>(
  node: Node<Subscriber>,
  subscriber: Subscriber,
  subscription: Subscription,
): boolean {
  if (node.subscriber === undefined || node.subscriber === subscriber) {
    const isNew = node.subscriber === undefined;
    node.subscriber = subscriber;
    node.subscription = subscription;
    return isNew;
  }
  node.others ??= new Map();
  const isNew = !node.others.has(subscriber);
  node.others.set(subscriber, subscription);
  return isNew;
}

/** Removes a subscription. Returns false if the subscriber has no subscription for this filter. */
export function removeFrom<Subscriber>(node: Node<Subscriber>, subscriber: Subscriber): boolean {
  const { others } = node;
  if (node.subscriber !== subscriber) {
    if (others?.delete(subscriber) !== true) return false;
  } else {
    const [next] = others ?? [];
    node.subscriber = next?.[0];
    node.subscription = next?.[1];
    if (next !== undefined) others?.delete(next[0]);
  }
  if (others?.size === 0) node.others = undefined;
  return true;
}

function hasSubscribers<Subscriber>({ subscriber }: Node<Subscriber>): boolean {
  return subscriber !== undefined;
}

/**
 * Inserts a parent node above `child`. The label of the parent is the first `length` characters of the
 * child's label. Returns the parent.
 */
function split<Subscriber>(
  parent: Node<Subscriber>,
  key: string,
  child: Node<Subscriber>,
  length: number,
): Node<Subscriber> {
  const upper = newNode<Subscriber>(copyOf(child.label.slice(0, length)));
  child.label = child.label.slice(length + 1);
  child.hasWildcard = containsWildcard(child.label);
  upper.children = new Map([[levelAt(child.label, 0), child]]);
  parent.children?.set(copyOf(key), upper);
  return upper;
}

/** Merges a node with its only child, unless a filter ends at the node. */
function mergeOnlyChild<Subscriber>(node: Node<Subscriber>): void {
  const { children } = node;
  if (children === undefined || children.size !== 1 || hasSubscribers(node)) return;
  for (const child of children.values()) {
    node.label = copyOf(`${node.label}/${child.label}`);
    node.hasWildcard = containsWildcard(node.label);
    node.children = child.children;
    node.subscriber = child.subscriber;
    node.subscription = child.subscription;
    node.others = child.others;
  }
}

/**
 * Compares `label` with the part of `filter` from offset `at` on. Returns the length of the leading levels
 * that are equal, in UTF-16 units.
 */
function commonLevels(label: string, filter: string, at: number): number {
  let end = 0;
  for (let index = 0; ; index++) {
    const inLabel = index < label.length ? label.charCodeAt(index) : SLASH;
    const inFilter = at + index < filter.length ? filter.charCodeAt(at + index) : SLASH;
    if (inLabel !== inFilter) return end;
    if (inLabel === SLASH) end = index;
    if (index >= label.length || at + index >= filter.length) return end;
  }
}

function levelAt(text: string, at: number): string {
  return text.slice(at, levelEnd(text, at));
}

function levelEnd(text: string, at: number): number {
  const end = text.indexOf('/', at);
  return end < 0 ? text.length : end;
}

function containsWildcard(label: string): boolean {
  return label.includes('+') || label.includes('#');
}

/** Copies a string, because a substring in V8 keeps the whole original string in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
