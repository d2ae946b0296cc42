import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  DeliveryOptions,
  Subscription,
  SubscriptionTree,
} from '../../src/broker/sessions/subscriptions.ts';
import { createSubscriptionTree } from '../../src/broker/sessions/subscriptions.ts';
import type { QoS } from '../../src/core/message.ts';
import { matches } from '../../src/core/topic-filter.ts';
import { filter, topic } from '../mqtt/arbitraries.ts';

type Step = {
  readonly kind: 'add' | 'remove';
  readonly filter: string;
  readonly who: string;
  readonly wanted: Subscription;
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('add' as const, 'add' as const, 'remove' as const),
  filter,
  who: fc.constantFrom('ann', 'bob', 'eve'),
  wanted: fc.record({
    qos: fc.constantFrom<QoS>(0, 1, 2),
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    id: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  }),
});

const PLAIN: Subscription = { qos: 1, noLocal: false, retainAsPublished: false, id: undefined };

/** Reference model: the current subscriptions in a flat list. */
type Model = Map<string, Step>;

function performOn(model: Model, one: Step): void {
  const key = `${one.who} ${one.filter}`;
  if (one.kind === 'add') model.set(key, one);
  else model.delete(key);
}

/**
 * Returns the expected delivery options of each subscriber for messages of others and for its own. The
 * highest QoS of the matching filters counts (MQTT 5, 3.3.4).
 */
function expected(model: Model, published: string): string[] {
  const matching = Array.from(model.values()).filter(one => matches(one.filter, published));
  return Array.from(
    Map.groupBy(matching, ({ who }) => who),
    ([who, steps]) => {
      const wanted = steps.map(one => one.wanted);
      return `${who} ${summary(wanted)} own ${summary(wanted.filter(({ noLocal }) => !noLocal))}`;
    },
  ).sort();
}

function summary(wanted: readonly Subscription[]): string {
  const ids = wanted.flatMap(({ id }) => (id === undefined ? [] : [id])).sort();
  const retains = wanted.some(({ retainAsPublished }) => retainAsPublished);
  return wanted.length === 0 ? 'none' : describe(Math.max(...wanted.map(({ qos }) => qos)), retains, ids);
}

function describe(qos: number, retains: boolean, ids: readonly number[]): string {
  return `q${qos} ${retains ? 'as published ' : ''}${ids.toSorted().join('+')}`;
}

function found(tree: SubscriptionTree<string>, topic: string): string[] {
  const shown = (one: DeliveryOptions | undefined): string =>
    one === undefined ? 'none' : describe(one.qos, one.retainAsPublished, one.ids);
  return Array.from(
    tree.match(topic).all,
    ({ subscriber: who, options }) => `${who} ${shown(options)} own ${shown(options.own)}`,
  ).sort();
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

const tree = suite('broker: subscription tree');

tree(
  '[MQTT-3.3.5-1] the subscription tree returns the same matches as a flat list after random changes',
  () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(topic, { minLength: 1 }),
        (steps, published) => {
          const subscriptions = createSubscriptionTree<string>();
          const model: Model = new Map();
          for (const one of steps) {
            if (one.kind === 'add') subscriptions.add(one.filter, one.who, one.wanted);
            else subscriptions.remove(one.filter, one.who);
            performOn(model, one);
            // Fills the cache. A cached match must not survive the next change.
            const first = published[0] ?? '';
            assert.equal(found(subscriptions, first), expected(model, first), first);
          }
          for (const one of published) assert.equal(found(subscriptions, one), expected(model, one), one);
        },
      ),
      { numRuns: 3000 },
    );
  },
);

tree(
  '[MQTT-3.8.4-3] a second subscription to the same filter replaces the first, also with a lower QoS',
  () => {
    const subscriptions = createSubscriptionTree<string>();
    subscriptions.add('a/+', 'ann', PLAIN);
    subscriptions.add('a/+', 'ann', { ...PLAIN, qos: 0 });
    assert.is(subscriptions.match('a/b').get('ann')?.qos, 0);
    subscriptions.remove('a/+', 'ann');
    assert.is(subscriptions.match('a/b').all.length, 0);
  },
);

tree('the subscription tree frees the memory of removed subscriptions', () => {
  const subscriptions = createSubscriptionTree<string>();
  const before = heapAfterCollection();
  for (let n = 0; n < 20_000; n++) subscriptions.add(`site/${n}/+/temperature`, 'ann', PLAIN);
  assert.ok(heapAfterCollection() - before > 2 << 20, 'the measure sees what is there');
  for (let n = 0; n < 20_000; n++) subscriptions.remove(`site/${n}/+/temperature`, 'ann');
  assert.ok(heapAfterCollection() - before < 1 << 20);
  assert.is(subscriptions.match('site/1/a/temperature').all.length, 0);
});

tree.run();
