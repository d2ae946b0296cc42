import type { Refused } from './entry.ts';
import { beyondSchema, refused } from './entry.ts';

export const TEXTS: readonly Refused[] = [
  refused('', 'The manifest m.json is not JSON at line 1, column 1: unexpected end.'),
  refused('[]', 'The manifest as a whole must be an object such as { "name": "shop", "modules": {} }'),
  refused('"a"', 'The manifest as a whole must be an object such as { "name": "shop", "modules": {} }'),
  refused('{}', 'name is missing'),
  refused(
    '{"name":"a",}',
    'The manifest m.json is not JSON at line 1, column 13: trailing comma before "}".',
  ),
  refused('{"name":"a"', 'The manifest m.json is not JSON at line 1, column 12: unexpected end.'),
  refused(
    '{"name":"a"\n "modules":{}}',
    'The manifest m.json is not JSON at line 2, column 2: a "," or "}" is expected.',
  ),
  refused(
    '{name:"a"}',
    'The manifest m.json is not JSON at line 1, column 2: the name of a field is expected, in double quotes.',
  ),
  refused(
    "{'name':'a'}",
    'The manifest m.json is not JSON at line 1, column 2: strings need double quotes, not single quotes.',
  ),
  refused(
    '{\n  // the shop\n  "name":"a"}',
    'The manifest m.json is not JSON at line 2, column 3: comments are not allowed.',
  ),
  refused(
    '{"name":"a","listeners":[{"mqtt":"a:1"},]}',
    'The manifest m.json is not JSON at line 1, column 41: trailing comma before "]".',
  ),
  refused(
    '{"name":hunter2}',
    'The manifest m.json is not JSON at line 1, column 9: a value is expected; strings need double quotes.',
  ),
  refused('{"name":"hunter2}', 'The manifest m.json is not JSON at line 1, column 9: unterminated string.'),
  refused(
    '{"name":"a\\x"}',
    'The manifest m.json is not JSON at line 1, column 11: invalid escape sequence in a string.',
  ),
  refused(
    '{"name":"a\tb"}',
    'The manifest m.json is not JSON at line 1, column 11: control character in a string.',
  ),
  refused(
    '{"name":"a"} {',
    'The manifest m.json is not JSON at line 1, column 14: unexpected text after the end.',
  ),
  refused(
    '\ufeff{"name":"a"}',
    'The manifest m.json is not JSON at line 1, column 1: the file begins with a byte order mark: save it without one.',
  ),
  refused(
    '{"name":"a"}'.replace('a', '\u0001'),
    'The manifest m.json is not JSON at line 1, column 4: control character in a string.',
  ),
  beyondSchema('{"name":"a","name":"b"}', 'name is duplicated'),
  beyondSchema(
    '{"name":"a","modules":{"host":{"exec":["a"]},"host":{"exec":["b"]}}}',
    'modules.host is duplicated',
  ),
  beyondSchema(
    '{"name":"a","listeners":[{"mqtt":"a:1"},{"ws":"a:2","\\u0077s":"a:3"}]}',
    'listeners[1].ws is duplicated',
  ),
  refused('{"name":"a","modules":{"__proto__":{"exec":["a"]}}}', 'modules.__proto__ is a reserved name'),
  refused('{"name":"a","constructor":{}}', 'constructor is a reserved name'),
  ...['1724442618569203714', '-9007199254740993', '1e400'].map(id =>
    beyondSchema(
      `{"name":"a","modules":{"m":{"exec":["a"],"desired":{"ids":[1,${id}]}}}}`,
      'modules.m.desired.ids[1] has more digits than a number can represent: write it as a string, in double quotes',
    ),
  ),
  refused(
    `{"name":${'['.repeat(40)}${']'.repeat(40)}}`,
    'The manifest m.json is nested too deeply at line 1, column 40: 32 levels are the maximum.',
  ),
  refused(`{"name":"${'a'.repeat(1 << 20)}"}`, 'The manifest m.json exceeds the maximum size of 1 MB.'),
];
