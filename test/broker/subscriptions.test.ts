import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSubscriptionTree } from '../../src/broker/subscriptions.ts';
import type { QoS } from '../../src/core/message.ts';
import { matches } from '../../src/mqtt/topics.ts';
import { filter, topic } from '../mqtt/arbitraries.ts';

type Step = {
  readonly kind: 'add' | 'remove';
  readonly filter: string;
  readonly who: string;
  readonly qos: QoS;
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('add' as const, 'add' as const, 'remove' as const),
  filter,
  who: fc.constantFrom('ann', 'bob', 'eve'),
  qos: fc.constantFrom<QoS>(0, 1, 2),
});

/** The plainest tree there is: a list of who subscribed to what. */
type Plain = Map<string, Step>;

function performOn(plain: Plain, wanted: Step): void {
  const key = `${wanted.who} ${wanted.filter}`;
  if (wanted.kind === 'add') plain.set(key, wanted);
  else plain.delete(key);
}

/** Each subscriber once, with the best QoS of the filters that match (MQTT 3.1.1, 3.3.5). */
function expected(plain: Plain, published: string): Map<string, QoS> {
  const found = new Map<string, QoS>();
  for (const { who, qos, filter: wanted } of plain.values()) {
    if (matches(wanted, published) && (found.get(who) ?? -1) < qos) found.set(who, qos);
  }
  return found;
}

function sorted(found: ReadonlyMap<string, QoS>): [string, QoS][] {
  return Array.from(found).sort(([one], [other]) => one.localeCompare(other));
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

const tree = suite('broker: the subscription tree');

tree('[MQTT-3.3.5-1] after any additions and removals it finds what a plain list finds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.array(topic, { minLength: 1 }), (steps, published) => {
      const subscriptions = createSubscriptionTree<string>();
      const plain: Plain = new Map();
      for (const one of steps) {
        if (one.kind === 'add') subscriptions.add(one.filter, one.who, one.qos);
        else subscriptions.remove(one.filter, one.who);
        performOn(plain, one);
        // What was found before a change must not be what is found after it.
        const asked = published[0] ?? '';
        assert.equal(sorted(subscriptions.match(asked)), sorted(expected(plain, asked)), asked);
      }
      for (const one of published)
        assert.equal(sorted(subscriptions.match(one)), sorted(expected(plain, one)), one);
    }),
    { numRuns: 3000 },
  );
});

tree('[MQTT-3.8.4-3] the same filter again replaces the first, also by a lower QoS', () => {
  const subscriptions = createSubscriptionTree<string>();
  subscriptions.add('a/+', 'ann', 1);
  subscriptions.add('a/+', 'ann', 0);
  assert.equal(sorted(subscriptions.match('a/b')), [['ann', 0]]);
  subscriptions.remove('a/+', 'ann');
  assert.equal(sorted(subscriptions.match('a/b')), []);
});

tree('what is removed leaves no memory behind', () => {
  const subscriptions = createSubscriptionTree<string>();
  const before = heapAfterCollection();
  for (let n = 0; n < 20_000; n++) subscriptions.add(`site/${n}/+/temperature`, 'ann', 1);
  assert.ok(heapAfterCollection() - before > 4 << 20, 'the measure sees what is there');
  for (let n = 0; n < 20_000; n++) subscriptions.remove(`site/${n}/+/temperature`, 'ann');
  assert.ok(heapAfterCollection() - before < 1 << 20);
  assert.is(subscriptions.match('site/1/a/temperature').size, 0);
});

tree.run();
