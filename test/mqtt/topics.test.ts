import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_TOPIC_LEVELS } from '../../src/core/limits.ts';
import { covers, matches } from '../../src/core/topic-filter.ts';
import { isTopicFilter, isTopicName, sharedOf } from '../../src/mqtt/topics.ts';
import { filter, topic } from './arbitraries.ts';

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
  ['+a', false],
  ['##', false],
  ['#/', false],
  ['a\0b', false],
  ['x'.repeat(65_536), false],
  ['+/'.repeat(MAX_TOPIC_LEVELS - 1), true],
  ['+/'.repeat(MAX_TOPIC_LEVELS), false],
  ['a/+b', false],
  ['', false],
];

/** Examples of MQTT 3.1.1, 4.7.1 to 4.7.3, and similar ones. */
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

topics(
  '[MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] `isTopicName` returns true only for valid topic names',
  () => {
    for (const [topic, valid] of NAMES) assert.is(isTopicName(topic), valid, topic.slice(0, 40));
  },
);

topics('[MQTT-4.7.1-2] [MQTT-4.7.1-3] `isTopicFilter` returns true only for valid topic filters', () => {
  for (const [filter, valid] of FILTERS) assert.is(isTopicFilter(filter), valid, filter.slice(0, 40));
});

topics('[MQTT-4.7.2-1] `matches` returns the expected result for each filter and topic of the table', () => {
  for (const [filter, topic, expected] of MATCHES)
    assert.is(matches(filter, topic), expected, `${filter} ${topic}`);
});

const SHARED: readonly (readonly [filter: string, shared: ReturnType<typeof sharedOf>])[] = [
  ['$share/g/a', { group: 'g', filter: 'a' }],
  ['$share/g/a/+/#', { group: 'g', filter: 'a/+/#' }],
  ['$share/g//', { group: 'g', filter: '/' }],
  ['$share/g/#', { group: 'g', filter: '#' }],
  ['$share/g/$share/h/a', { group: 'g', filter: '$share/h/a' }],
  ['$share', undefined],
  ['$shared/g/a', undefined],
  ['a/$share/g/b', undefined],
  ['$share/', 'invalid'],
  ['$share/g', 'invalid'],
  ['$share/g/', 'invalid'],
  ['$share//a', 'invalid'],
  ['$share/+/a', 'invalid'],
  ['$share/g#/a', 'invalid'],
  ['$share/g/a#', 'invalid'],
  ['$share/g/#/a', 'invalid'],
];

topics(
  '[MQTT-4.8.2-1] [MQTT-4.8.2-2] `sharedOf` returns the group and the filter of a shared subscription',
  () => {
    for (const [filter, shared] of SHARED) assert.equal(sharedOf(filter), shared, filter);
  },
);

/** Pairs of filters and whether the first covers the second. */
const COVERS: readonly (readonly [outer: string, inner: string, covers: boolean])[] = [
  ['modules/m/inputs/#', 'modules/m/inputs/+', true],
  ['modules/m/inputs/#', 'modules/m/inputs/a', true],
  ['modules/m/inputs/#', 'modules/m/inputs', true],
  ['modules/m/inputs/#', 'modules/m/inputs/#', true],
  ['modules/m/inputs/#', 'modules/+/inputs/a', false],
  ['modules/m/inputs/#', 'modules/m/#', false],
  ['modules/m/inputs/#', 'modules/mm/inputs/a', false],
  ['modules/m/inputs/#', '#', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/#', false],
  ['a/+', 'a', false],
  ['a/+', 'a/b/c', false],
  ['a', 'a', true],
  ['a', '+', false],
  ['#', '+/+', true],
  ['#', '$SYS/x', false],
  ['+/x', '$SYS/x', false],
  ['$SYS/#', '$SYS/x', true],
];

topics('[MQTT-4.7.2-1] `covers` returns true if one filter matches all topics of another filter', () => {
  for (const [outer, inner, expected] of COVERS)
    assert.is(covers(outer, inner), expected, `${outer} ${inner}`);
});

/** Simple implementation of the rule, level by level (4.7.1). */
function matchesLevels(
  [wanted, ...filter]: readonly string[],
  [level, ...topic]: readonly string[],
): boolean {
  if (wanted === '#') return true;
  if (wanted === undefined || level === undefined) return wanted === level;
  return (wanted === '+' || wanted === level) && matchesLevels(filter, topic);
}

topics(
  '[MQTT-4.7.1-2] [MQTT-4.7.1-3] `matches` gives the same results as a simple implementation of the wildcard rules',
  () => {
    fc.assert(
      fc.property(filter, topic, (wanted, published) => {
        const excluded = published.startsWith('$') && /^[+#]/.test(wanted);
        const expected = !excluded && matchesLevels(wanted.split('/'), published.split('/'));
        assert.is(matches(wanted, published), expected, `${wanted} ${published}`);
      }),
      { numRuns: 20_000 },
    );
  },
);

topics('a filter that covers another filter matches every topic that the other filter matches', () => {
  fc.assert(
    fc.property(filter, filter, topic, (outer, inner, published) => {
      if (!covers(outer, inner) || !matches(inner, published)) return;
      assert.ok(matches(outer, published), `${outer} ${inner} ${published}`);
    }),
    { numRuns: 50_000 },
  );
});

topics.run();
