import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TopicGrants } from '../../../src/broker/access/access.ts';
import { createAccess, isUngrantable, outputOf } from '../../../src/broker/access/access.ts';
import type { Granted, Identity } from '../../../src/broker/types.ts';

const CLIENT: Identity = { kind: 'client', user: undefined };
const MODULE: Identity = { kind: 'module', module: 'm' };
const USER: Identity = { kind: 'client', user: 'u' };
const NONE: TopicGrants = { publish: [], subscribe: [] };

/** Access rules for this machine without users and grants. */
const open = createAccess({ modules: new Map([['m', NONE]]), users: new Map(), anonymous: 'everything' });

/** Expected publish rights by topic. */
const PUBLISH: readonly (readonly [topic: string, client: boolean, module: boolean])[] = [
  ['sensors/1', true, false],
  ['modulesque/m/outputs/o', true, false],
  ['/modules/m/outputs/o', true, false],
  ['modules/m/outputs/o', false, true],
  ['modules/m/outputs/', false, false],
  ['modules/m/outputs/o/p', false, false],
  ['modules/m/outputs', false, false],
  ['modules/m/inputs/i', false, false],
  ['modules/other/outputs/o', false, false],
  ['modules/M/outputs/o', false, false],
  ['modules/m', false, false],
  ['modules/', false, false],
  ['modules', false, false],
  ['$SYS', false, false],
  ['$SYS/broker', false, false],
  ['$share/g/a', false, false],
  ['$upstream', false, false],
  ['$upstream/a', false, false],
  ['$SYSTEM', true, false],
];

/** Expected subscribe rights by filter. */
const SUBSCRIBE: readonly (readonly [filter: string, client: boolean, module: boolean])[] = [
  ['sensors/#', true, false],
  ['modules/m/inputs/i', true, true],
  ['modules/m/inputs/+', true, true],
  ['modules/m/inputs/#', true, true],
  ['modules/m/inputs', true, true],
  ['$share/g/modules/m/inputs/i', true, true],
  ['$share/g/modules/n/inputs/i', true, false],
  ['modules/m/outputs/o', true, false],
  ['modules/m/#', true, false],
  ['modules/mm/inputs/i', true, false],
  ['modules/+/inputs/i', true, false],
  ['+/m/inputs/i', true, false],
  ['#', true, false],
  ['$SYS/#', true, false],
  ['$share/group', false, false],
  ['$upstream', false, false],
];

type Case = readonly [grant: string, clientId: string, text: string, allowed: boolean];

/** Topics that one grant permits user "u" to publish on. */
const GRANTED: readonly Case[] = [
  ['a', 'c', 'a', true],
  ['a', 'c', 'a/b', false],
  ['a', 'c', 'ab', false],
  ['a/b', 'c', 'a', false],
  ['a/#', 'c', 'a', true],
  ['a/#', 'c', 'a/b/c', true],
  ['a/#', 'c', 'ab', false],
  ['a/+', 'c', 'a/', true],
  ['a/+', 'c', 'a', false],
  ['a/+', 'c', 'a/b/c', false],
  ['+/b', 'c', '/b', true],
  ['#', 'c', 'a/b', true],
  ['#', 'c', 'modules/m/outputs/o', false],
  ['#', 'c', '$a', false],
  ['+/a', 'c', '$a/a', false],
  ['$a/#', 'c', '$a/b', true],
  ['a/%c/#', 'c', 'a/c/x', true],
  ['a/%c/#', 'c', 'a/d/x', false],
  ['a/%c/#', '+', 'a/+/x', false],
  ['a/%c/x', 'b/c', 'a/b/c/x', false],
  ['a/%c', '#', 'a/b', false],
  ['%c/x', '$a', '$a/x', false],
  ['%c/x', 'modules', 'modules/x', false],
  ['a/%c', '%u', 'a/u', false],
  ['a/%u', 'c', 'a/u', true],
  ['a/%c-%u', 'c', 'a/c-u', true],
  ['a/%d', 'c', 'a/%d', true],
];

/** Part of a filter's topics that a client receives. */
const PARTS: readonly (readonly [rules: readonly string[], filter: string, part: Granted])[] = [
  [['#'], 'a/#', 'all'],
  [['#', '!a/b'], 'a/#', 'some'],
  [['!a/b', '#'], 'a/+', 'some'],
  [['#', '!a/b'], 'a/b', 'none'],
  [['#', '!a/b'], 'c/#', 'all'],
  [['#', '!a/#'], 'a', 'none'],
  [['#', '!a/#'], '+/b/#', 'some'],
  [['#', '!a/+/c'], 'a/b', 'all'],
  [['a/b'], 'a/#', 'some'],
  [['a/b'], '+/+', 'some'],
  [['a/b'], 'a/+/c', 'none'],
  [['a/b/#'], 'a/b', 'all'],
  [['a/b'], '$share/g/a/#', 'some'],
  [['$a/b'], '#', 'none'],
  [['#', '!u/%u'], 'u/u', 'none'],
  [['#', '!c/%c/#'], 'c/x', 'none'],
  [['#', '!%u'], '#', 'some'],
];

/** Filters that one grant permits user "u" to subscribe to. */
const COVERED: readonly Case[] = [
  ['a/#', 'c', 'a/#', true],
  ['a/#', 'c', 'a/+/b', true],
  ['a/#', 'c', '#', false],
  ['a/+', 'c', 'a/#', false],
  ['a/+', 'c', 'a/+', true],
  ['a/%c/#', 'c', 'a/c/#', true],
  ['a/%c/#', 'c', 'a/+/#', false],
  ['a/%c', '+', 'a/+', false],
  ['a/%c', '#', 'a/#', false],
  ['a/#', 'c', '$share/g/a/b', true],
  ['a/#', 'c', '$share/g/b', false],
  ['#', 'c', '$share/g/a', true],
  ['#', 'c', '$SYS/#', false],
  ['$SYS/#', 'c', '$SYS/broker', true],
  ['#', 'c', '$share/g', false],
];

const access = suite('broker: access rules');

access(
  'a module may publish only on its outputs, and an anonymous client may publish on all unreserved topics',
  () => {
    for (const [topic, client, module] of PUBLISH) {
      const allowed = [open.mayPublish(CLIENT, 'c', topic), open.mayPublish(MODULE, 'c', topic)];
      assert.equal(allowed, [client, module], topic);
    }
  },
);

access(
  'a module may subscribe only to its inputs, and an anonymous client may subscribe to all topics',
  () => {
    for (const [filter, client, module] of SUBSCRIBE) {
      const allowed = [open.maySubscribe(CLIENT, 'c', filter), open.maySubscribe(MODULE, 'c', filter)];
      assert.equal(allowed, [client, module], filter);
    }
  },
);

access('`%c` and `%u` in a grant match only the client identifier and the user name of the client', () => {
  for (const [publish, clientId, topic, allowed] of GRANTED) {
    const users = new Map([['u', { publish: [publish], subscribe: [] }]]);
    const { mayPublish } = createAccess({ modules: new Map(), users, anonymous: NONE });
    assert.is(mayPublish(USER, clientId, topic), allowed, `${publish} for ${clientId}: ${topic}`);
  }
});

access(
  'a denial overrides every grant, and a filter with some denied topics is granted for the other topics only',
  () => {
    for (const [subscribe, filter, part] of PARTS) {
      const users = new Map([['u', { publish: subscribe, subscribe }]]);
      // A client identifier that is no single level widens a denial to every level.
      const { granted } = createAccess({ modules: new Map(), users, anonymous: NONE });
      assert.is(granted(USER, 'a/b', filter), part, `${subscribe} for ${filter}`);
    }
    const users = new Map([['u', { publish: ['!a/b', '#', '!c/%c'], subscribe: [] }]]);
    const { mayPublish } = createAccess({ modules: new Map(), users, anonymous: NONE });
    const allowed = ['a/b', 'a/c', 'c/x', 'd'].map(topic => mayPublish(USER, '+', topic));
    assert.equal(allowed, [false, true, false, true]);
  },
);

access('a subscription is allowed if one grant covers its filter', () => {
  for (const [subscribe, clientId, filter, allowed] of COVERED) {
    const users = new Map([['u', { publish: [], subscribe: ['other', subscribe] }]]);
    const { maySubscribe } = createAccess({ modules: new Map(), users, anonymous: NONE });
    assert.is(maySubscribe(USER, clientId, filter), allowed, `${subscribe} for ${clientId}: ${filter}`);
  }
});

access(
  'each identity has its own grants, and an identity without grants may neither publish nor subscribe',
  () => {
    const { mayPublish, maySubscribe } = createAccess({
      modules: new Map([['m', { publish: ['of-m/%u'], subscribe: ['to-m'] }]]),
      users: new Map([['u', { publish: ['of-u'], subscribe: ['to-u'] }]]),
      anonymous: { publish: ['of-anybody', 'x/%u'], subscribe: [] },
    });
    const gone: Identity = { kind: 'client', user: 'gone' };
    const publishers = (topic: string) =>
      [MODULE, USER, CLIENT, gone].filter(identity => mayPublish(identity, 'c', topic));
    assert.equal(publishers('of-m/m'), [MODULE]);
    assert.equal(publishers('of-u'), [USER]);
    assert.equal(publishers('of-anybody'), [CLIENT]);
    assert.equal(publishers('x/'), []);
    assert.equal(publishers('else'), []);
    assert.ok(maySubscribe(MODULE, 'c', 'to-m'));
    assert.not(maySubscribe(USER, 'c', 'to-m'));
    assert.not(maySubscribe(CLIENT, 'c', 'to-u'));
  },
);

access('a manifest that grants topics of modules or of the hub is refused', () => {
  for (const filter of ['modules', 'modules/#', 'modules/m/outputs/o', '$SYS/#', '$share/a/b', '$upstream/#'])
    assert.ok(isUngrantable(filter), filter);
  for (const filter of ['#', '+/#', 'modulesque', '$SYSTEM']) assert.not(isUngrantable(filter), filter);
});

access(
  '`outputOf` returns the output of the module that a topic names, and undefined for any other topic',
  () => {
    assert.is(outputOf('m', 'modules/m/outputs/temp'), 'temp');
    assert.is(outputOf('m', 'modules/n/outputs/temp'), undefined);
    assert.is(outputOf('m', 'modules/m/inputs/temp'), undefined);
  },
);

access.run();
