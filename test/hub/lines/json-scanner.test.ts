import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isJson, visitMembers } from '../../../src/hub/modules/lines/json-scanner.ts';
import { quote, unquote } from '../../../src/hub/modules/lines/json-strings.ts';

const scanner = suite('hub: JSON scanner');

/** Levels that exhaust the stack of a recursive parser. */
const DEEP = 500_000;

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON text with one part removed, repeated or replaced. */
const almostJson = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '"', '\\', '{', ']', ',', ':', '-', '0', '.', 'e', ' ', '\n'),
  )
  .map(([text, place, length, piece]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + piece + text.slice(at + length);
  });

/** Random sequences of parts of numbers, literals and escapes. */
const pieces = fc
  .array(
    fc.constantFrom(
      '-',
      '0',
      '1',
      '9',
      '.',
      'e',
      'E',
      '+',
      '"',
      '\\u',
      'dA',
      '12',
      '\\n',
      '\\',
      'true',
      'null',
      '[',
      ']',
      ' ',
    ),
  )
  .map(parts => parts.join(''));

scanner('the JSON scanner accepts exactly the texts that `JSON.parse` accepts', () => {
  const texts = fc.oneof(fc.json(), almostJson, pieces, fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(texts, text => {
      assert.is(isJson(Buffer.from(text)), parses(text), text);
    }),
    { numRuns: 800 },
  );
});

scanner('the JSON scanner returns the members of an object with their original bytes', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(undefined, 2),
      (object, space) => {
        const bytes = Buffer.from(JSON.stringify(object, null, space));
        const found: [string, unknown][] = [];
        const isObject = visitMembers(bytes, (name, value) => {
          found.push([
            JSON.parse(bytes.toString('utf8', name.start, name.end)),
            JSON.parse(bytes.toString('utf8', value.start, value.end)),
          ]);
        });
        assert.ok(isObject);
        assert.equal(Object.fromEntries(found), JSON.parse(bytes.toString()));
      },
    ),
  );
});

scanner('the JSON scanner returns members only if the text is exactly one complete object', () => {
  const isObject = (text: string): boolean => visitMembers(Buffer.from(text), () => {});
  for (const text of ['{}', ' { } ', '{"a":1}', '{"a":1, "b":[{}]}\t']) assert.ok(isObject(text), text);
  for (const text of [
    '',
    '[]',
    '{',
    '{,}',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{"a":1}x',
    '{"a":1}{}',
    '{"a":1',
  ])
    assert.not(isObject(text), text);
});

scanner('the JSON scanner accepts any number of nested levels', () => {
  const lists = Buffer.from('['.repeat(DEEP) + ']'.repeat(DEEP));
  const objects = Buffer.from(`${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`);
  assert.ok(isJson(lists));
  assert.ok(isJson(objects));
  assert.not(isJson(lists.subarray(0, -1)));
  assert.not(isJson(objects.subarray(0, -1)));
  assert.ok(visitMembers(objects, (_, value) => assert.is(value.end, objects.length - 1)));
});

scanner('the JSON scanner unquotes strings like `JSON.parse` and quotes like `JSON.stringify`', () => {
  const strings = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(strings, text => {
      const token = Buffer.from(JSON.stringify(text));
      assert.equal(unquote(token), Buffer.from(text));
      assert.equal(quote(Buffer.from(text)), Buffer.from(JSON.stringify(text.toWellFormed())));
      const escaped = [
        ...Buffer.from(text, 'utf16le')
          .toString('hex')
          .matchAll(/(..)(..)/g),
      ];
      const units = escaped.map(([, low, high]) => `\\u${high}${low}`).join('');
      assert.equal(unquote(Buffer.from(`"${units}"`)), Buffer.from(text));
    }),
    { numRuns: 200 },
  );
});

scanner('the JSON scanner returns bytes in a string unchanged if they are not UTF-8', () => {
  const bytes = Buffer.from([0xff, 0x22, 0x0a, 0xc3, 0x5c, 0x80]);
  const token = quote(bytes);
  assert.equal(token, Buffer.from([0x22, 0xff, 0x5c, 0x22, 0x5c, 0x6e, 0xc3, 0x5c, 0x5c, 0x80, 0x22]));
  assert.equal(unquote(token), bytes);
});

scanner('the JSON scanner replaces a lone surrogate by the replacement character', () => {
  for (const [escaped, text] of [
    ['\\ud83d\\ude00', '😀'],
    ['\\ud83d', '\ufffd'],
    ['\\ude00\\ud83d', '\ufffd\ufffd'],
    ['\\ud83d\\u0041', '\ufffdA'],
    ['\\ud83d\\n', '\ufffd\n'],
  ])
    assert.is(unquote(Buffer.from(`"${escaped}"`)).toString(), text, escaped);
});

scanner.run();
