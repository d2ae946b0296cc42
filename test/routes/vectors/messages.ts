import type { Sample } from '../subject.ts';
import type { Vector } from './skerry.ts';

/** Message of every vector. */
export const BOILER: Sample = {
  properties: {
    level: 'hot',
    temp: '21.5',
    empty: '',
    'a-b': 'dash',
    'a.b': 'dot',
    $state: 'WA',
    and: 'word',
    true: 'yes',
    'two words': 'blank',
    '3d': 'digit',
  },
  system: { contentType: 'application/json', connectionModuleId: 'host' },
  body: {
    celsius: 61.5,
    name: 'boiler',
    on: true,
    off: false,
    nothing: null,
    zero: 0,
    numeral: '7',
    list: [1, 'two', { three: 3 }],
    nested: { deep: { x: 1 } },
    'odd key': 'k',
    'dash-key': 7,
    'dot.key': 8,
  },
};

/** Vectors with a message of their own. */
export const MESSAGES: readonly (readonly [...Vector, sample: Sample])[] = [
  ['a bare number is a body', '$body > 60', 'true', { body: 61 }],
  ['a bare string is a body', "$body = 'x'", 'true', { body: 'x' }],
  ['a bare truth is a body', '$body', 'true', { body: true }],
  ['null is a body', 'is_null($body)', 'true', { body: null }],
  ['a bare array is a body', '$body[1] = 2', 'true', { body: [1, 2] }],
  ['a missing body', 'is_defined($body)', 'false', { body: undefined }],
  ['NaN in a body is undefined', 'is_defined($body.x)', 'false', { body: { x: Number.NaN } }],
  ['infinity in a body', '$body.x > 1e308', 'true', { body: { x: Number.POSITIVE_INFINITY } }],
  ['a key named __proto__', '$body.__proto__.x = 1', 'true', { body: JSON.parse('{"__proto__":{"x":1}}') }],
  ['a key named constructor', "$body.constructor = 'c'", 'true', { body: { constructor: 'c' } }],
  ['a key named length', '$body.length = 3', 'true', { body: { length: 3 } }],
  ['a key of an array method', 'is_defined($body.map)', 'false', { body: [1] }],
  ['a key of a string method', 'is_defined($body.s.at)', 'false', { body: { s: 'text' } }],
  ['a key of digits is no index', 'is_defined($body.0)', 'false', { body: [1] }],
  ['a key of digits of an object', '$body.0 = 1', 'true', { body: { 0: 1 } }],
  ['a property named __proto__', "__proto__ = 'p'", 'undefined', { properties: {} }],
  ['an empty name', "{x} = ''", 'true', { properties: { x: '' } }],
  ['a system property without a value', 'is_defined($messageId)', 'false', { system: { messageId: null } }],
  [
    'a child hub sends the device, module and output of a message',
    "$childDevice = 'floor2' AND $childModule = 'gate' AND $childOutput = 'open'",
    'true',
    { system: { childDevice: 'floor2', childModule: 'gate', childOutput: 'open' } },
  ],
  [
    'a property of a message does not set its child topic',
    "$childTopic = 'a/b'",
    'undefined',
    { properties: { childTopic: 'a/b' } },
  ],
  ['a property without a value is missing', 'is_defined(a)', 'false', { properties: { a: null } }],
];
