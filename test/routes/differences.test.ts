import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dialect } from '../../src/routes/dialect.ts';
import { compileRoute } from '../../src/routes/route.ts';
import { type Sample, subjectOf } from './subject.ts';

/** Condition or route with its result in each dialect, or `refused`. */
type Check = readonly [text: string, azure: string, skerry: string];

const SAMPLE: Sample = {
  source: '/messages/modules/a',
  properties: { level: 'hot', 'key!': 'x', 'a||b': 'x', $state: 'WA', none: null },
  system: { contentType: 'application/json', contentEncoding: 'utf-8' },
  body: { n: '7', five: 5, b: true, at: '2026-11-23T19:00:00Z', object: {}, nil: null, "it's": 1 },
};
const REST = ' INTO $upstream';

/** Checks by the left column of the table in docs/reference/routes.md. */
const CHECKS: Readonly<Record<string, readonly Check[]>> = {
  '`INTO $upstream WHERE ...`': [['FROM /* INTO $upstream WHERE level = 5', 'true', 'refused']],
  '`$body.missing > 50`': [['$body.missing > 50', 'true', 'undefined']],
  "`$body.missing != 'x'`": [["$body.missing != 'x'", 'true', 'undefined']],
  '`$body.missing = null`': [['$body.missing = null', 'true', 'undefined']],
  '`$body.missing ?? 5`': [['($body.missing ?? 5) = 5', 'false', 'true']],
  '`NOT ($body.missing != null)`': [['NOT ($body.missing != null)', 'true', 'undefined']],
  '`$body.n > 5` if `n` is `"7"`': [['$body.n > 5', 'true', 'undefined']],
  '`is_null($body.x)`': [
    ['is_null($body.five)', 'true', 'false'],
    ['is_null($body.missing) = false', 'true', 'true'],
  ],
  '`is_bool($body.missing.x)`, `is_bool` of what is undefined': [
    ['is_bool($body.object)', 'undefined', 'false'],
  ],
  '`is_defined($body.missing)`': [['is_defined($body.missing)', 'true', 'false']],
  '`false AND $body.missing`': [
    ['false AND $body.missing', 'refused', 'false'],
    ['$body.missing AND false', 'undefined', 'false'],
  ],
  '`true AND $body.b`': [['true AND $body.b', 'refused', 'true']],
  '`$body.n % 2`, `-$body.n`': [
    ['$body.five % 2 = 1', 'refused', 'true'],
    ['- $body.five = -5', 'refused', 'true'],
  ],
  '`true > false`': [['true > false', 'true', 'refused']],
  '`$body.x = undefined`': [['$body.x = undefined', 'refused', 'undefined']],
  '`(key ?? null)`': [["(level ?? null) = 'hot'", 'refused', 'true']],
  'a body string that looks like a date and time': [['is_string($body.at)', 'false', 'true']],
  'a body without `application/json` and an encoding': [],
  'a body that is a bare array, number or string': [],
  'a CBOR body': [],
  "`key!='x'`": [["{$none} = 'y' OR key!='x'", 'true', 'undefined']],
  '<code>a&#124;&#124;b</code>, `3+4` without blanks': [["level||level = 'hothot'", 'undefined', 'true']],
  '`5 -4`': [['5 -4 = 1', 'refused', 'true']],
  "`'it''s'`, `e5`, `-x`": [
    ["'it''s' = 'x'", 'undefined', 'refused'],
    ["e5 = 'x'", 'refused', 'undefined'],
    ["-x = 'y'", 'undefined', 'refused'],
  ],
  '`"\\\\u0041"`': [['"\\\\u0041" = "\\\\A"', 'true', 'false']],
  '`"text"` or `null AND true` as a condition': [
    ['"text"', 'undefined', 'refused'],
    ['null AND true', 'false', 'refused'],
  ],
  '`True`, `NULL`': [["True = 'x'", 'undefined', 'refused']],
  "names with <code>! % & ' * + &#124;</code>": [
    ["key! = 'x'", 'true', 'refused'],
    ["$body.it's = 1", 'true', 'refused'],
  ],
  '`$x` if there is an application property `$x`': [
    ["FROM /* WHERE $contentType = 'mine' INTO $upstream", 'true', 'false'],
  ],
  '`$unknown`': [["$unknown = 'x'", 'undefined', 'refused']],
  '`{$x}`': [["{$state} = 'WA'", 'undefined', 'true']],
  '`{two words}`': [["{two words} = 'x'", 'refused', 'undefined']],
  'property names': [["LEVEL = 'hot'", 'true', 'undefined']],
  'a property without a value (MQTT has none)': [['is_null(none)', 'true', 'false']],
  '`as_number("1,000")`, `as_number("(5)")`': [
    ['as_number("1,000") = 1000', 'true', 'undefined'],
    ['as_number("(5)") = -5', 'true', 'undefined'],
  ],
  '`/foo/*`, `/*/x`, `/messages/modules/a*`': [
    ['FROM /foo/* INTO $upstream', 'true', 'refused'],
    ['FROM /messages/modules/a* INTO $upstream', 'true', 'refused'],
  ],
  'a segment of a source that is a number or a keyword': [
    ['FROM /messages/modules/5 INTO $upstream', 'refused', 'true'],
    ['FROM /messages/modules/and INTO $upstream', 'refused', 'true'],
  ],
  '`BrokeredEndpoint("/a/b/c/d")`': [['FROM /* INTO BrokeredEndpoint("/a/b/c/d")', 'true', 'refused']],
  '`is_array` `is_boolean` `is_object` `is_primitive`': [['is_array($body.n)', 'refused', 'false']],
  '`$body["key"]`, `topic("filter")`': [
    ['$body["five"] = 5', 'refused', 'true'],
    ['FROM topic("a/#") INTO $upstream', 'refused', 'true'],
  ],
  '`FROM $upstream`': [
    ['FROM $upstream INTO BrokeredEndpoint("/modules/a/inputs/b")', 'refused', 'true'],
    ['FROM $upstream("a/#") INTO BrokeredEndpoint("/modules/a/inputs/b")', 'refused', 'true'],
  ],
  '`INTO $upstream/cloud`': [
    ['FROM /* INTO $upstream/cloud', 'true', 'true'],
    ['FROM /* INTO $upstream/cloud/a', 'true', 'refused'],
  ],
};

const differences = suite('routes: differences of the dialects');

differences('the tested differences of the dialects equal the list in docs/reference/routes.md', () => {
  const page = readFileSync(new URL('../../docs/reference/routes.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('## What differs from Azure IoT Edge');
  const cells = Array.from(section.matchAll(/^\| (?!written|---)(.+?) \| /gm), ([, cell]) => cell);
  assert.equal(cells, Object.keys(CHECKS));
});

for (const [text, azure, skerry] of Object.values(CHECKS).flat()) {
  differences(`${text} is ${azure} in the azure dialect and ${skerry} in the skerry dialect`, () => {
    const route = text.startsWith('FROM') ? text : `FROM /* WHERE ${text}${REST}`;
    const mine = route.includes("'mine'") ? { ...SAMPLE, properties: { $contentType: 'mine' } } : SAMPLE;
    assert.equal([verdictOf(route, 'azure', mine), verdictOf(route, 'skerry', mine)], [azure, skerry]);
  });
}

differences('an azure condition reads a body only if it is a JSON object in a known encoding', () => {
  const text = 'FROM /* WHERE $body.a = 1 INTO $upstream';
  const json = { contentType: 'Application/JSON', contentEncoding: 'UTF-16' };
  const rows: readonly (readonly [Sample, string])[] = [
    [{ system: json, body: { a: 1 } }, 'true'],
    [{ system: { ...json, contentEncoding: 'latin1' }, body: { a: 1 } }, 'undefined'],
    [{ system: { contentType: 'application/json' }, body: { a: 1 } }, 'undefined'],
    [{ system: { ...json, contentType: 'application/cbor' }, body: { a: 1 } }, 'undefined'],
    [{ system: json, body: [{ a: 1 }] }, 'undefined'],
  ];
  for (const [sample, expected] of rows) {
    assert.is(verdictOf(text, 'azure', sample), expected, JSON.stringify(sample));
    assert.is(verdictOf(text, 'skerry', sample), Array.isArray(sample.body) ? 'undefined' : 'true');
  }
  assert.is(verdictOf('FROM /* WHERE $body[0].a = 1 INTO $upstream', 'skerry', { body: [{ a: 1 }] }), 'true');
});

function verdictOf(text: string, dialect: Dialect, sample: Sample): string {
  const result = compileRoute(text, dialect);
  return 'route' in result ? result.route.evaluate(subjectOf(sample)) : 'refused';
}

differences.run();
