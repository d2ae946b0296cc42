import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSubscriptionTree } from '../../src/broker/subscriptions.ts';
import { MAX_TOPIC_LEVELS } from '../../src/core/limits.ts';
import { covers, isTopicFilter, isTopicName, matches } from '../../src/mqtt/topics.ts';

const topics = suite('mqtt: topics');

const NAMES: readonly (readonly [topic: string, valid: boolean])[] = [
  ['a', true],
  ['/', true],
  ['a//b', true],
  ['$SYS/x', true],
  ['ü/漢', true],
  ['', false],
  ['a/+', false],
  ['#', false],
  ['a\0b', false],
  ['x'.repeat(65_535), true],
  ['x'.repeat(65_536), false],
  ['a/'.repeat(MAX_TOPIC_LEVELS - 1), true],
  ['a/'.repeat(MAX_TOPIC_LEVELS), false],
];

const FILTERS: readonly (readonly [filter: string, valid: boolean])[] = [
  ['#', true],
  ['+', true],
  ['a/#', true],
  ['+/+/#', true],
  ['a/+/b', true],
  ['/+', true],
  ['a#', false],
  ['a/#/b', false],
  ['a+', false],
  ['a/+b', false],
  ['', false],
];

/** Examples of MQTT 3.1.1, 4.7.1 to 4.7.3, and their kin. */
const MATCHES: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/#', 'sport', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '$SYS/broker', false],
  ['+/monitor/Clients', '$SYS/monitor/Clients', false],
  ['$SYS/#', '$SYS/broker', true],
  ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
  ['ACCOUNTS', 'Accounts', false],
];

topics('[MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] names', () => {
  for (const [topic, valid] of NAMES) assert.is(isTopicName(topic), valid, topic.slice(0, 40));
});

topics('[MQTT-4.7.1-2] [MQTT-4.7.1-3] filters', () => {
  for (const [filter, valid] of FILTERS) assert.is(isTopicFilter(filter), valid, filter);
});

topics('[MQTT-4.7.2-1] what a filter takes in', () => {
  for (const [filter, topic, expected] of MATCHES)
    assert.is(matches(filter, topic), expected, `${filter} ${topic}`);
});

const level = fc.constantFrom('a', 'b', '', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map(levels => levels.join('/') || 'a');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('#', '+', 'a'))
  .map(([levels, last]) => [...levels, last].join('/'));

topics('the subscription tree finds what matches finds, and forgets what is removed', () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 12 }), topic, fc.nat(11), (filters, published, removed) => {
      const tree = createSubscriptionTree<string>();
      for (const one of filters) tree.add(one, one, 1);
      const gone = filters[removed];
      if (gone !== undefined) tree.remove(gone, gone);
      const expected = new Set(filters.filter(one => one !== gone && matches(one, published)));
      assert.equal(new Set(tree.match(published).keys()), expected);
    }),
    { numRuns: 5000 },
  );
});

topics('a filter that covers another takes in all that the other does', () => {
  fc.assert(
    fc.property(filter, filter, topic, (outer, inner, published) => {
      if (!covers(outer, inner) || published.startsWith('$')) return;
      if (matches(inner, published)) assert.ok(matches(outer, published), `${outer} ${inner} ${published}`);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(covers('modules/m/inputs/#', 'modules/m/inputs/+'));
  assert.not(covers('modules/m/inputs/#', 'modules/+/inputs/a'));
  assert.not(covers('modules/m/inputs/#', '#'));
});

topics.run();
