import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { canonicalJson } from '../../src/crypto/canonical.ts';

/** RFC 8785, appendix B: the bits of a double, and its text. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

/** RFC 8785, 3.2.2. */
const SAMPLE = String.raw`{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`;
const SAMPLE_TEXT = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;

/** RFC 8785, 3.2.3: names whose order differs from the order of their code points. */
const NAMES = String.raw`{
  "\u20ac": "Euro Sign",
  "\r": "Carriage Return",
  "\ufb33": "Hebrew Letter Dalet With Dagesh",
  "1": "One",
  "\ud83d\ude00": "Emoji: Grinning Face",
  "\u0080": "Control",
  "\u00f6": "Latin Small Letter O With Diaeresis"
}`;
const SORTED = [
  'Carriage Return',
  'One',
  'Control',
  'Latin Small Letter O With Diaeresis',
  'Euro Sign',
  'Emoji: Grinning Face',
  'Hebrew Letter Dalet With Dagesh',
];

const SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/** Reference implementation of RFC 8785, 3.2, with names compared as big-endian UTF-16. */
function model(value: unknown): string {
  if (typeof value === 'string') return `"${Array.from(value, escaped).join('')}"`;
  if (Array.isArray(value)) return `[${value.map(model).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => ({
    key: Buffer.from(name, 'utf16le').swap16(),
    text: `${model(name)}:${model(field)}`,
  }));
  fields.sort((one, other) => Buffer.compare(one.key, other.key));
  return `{${fields.map(({ text }) => text).join(',')}}`;
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return SHORT[character] ?? (code < 32 ? `\\u${code.toString(16).padStart(4, '0')}` : character);
}

const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 });

/** Value with the fields in reverse order at every depth. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, field]) => [name, reversed(field)])
      .reverse(),
  );
}

const canonical = suite('crypto: canonical JSON');

canonical('canonical JSON writes numbers as the examples of RFC 8785', () => {
  for (const [bits, text] of NUMBERS)
    assert.is(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE(), 'm'), text);
});

canonical('canonical JSON of the sample in RFC 8785 equals the text in RFC 8785', () => {
  assert.is(canonicalJson(JSON.parse(SAMPLE), 'm'), SAMPLE_TEXT);
  assert.equal(
    Array.from(canonicalJson(JSON.parse(NAMES), 'm').matchAll(/:"([^"]+)"/g), ([, s]) => s),
    SORTED,
  );
});

canonical('canonical JSON of a random value equals the output of the reference implementation', () => {
  fc.assert(
    fc.property(json, value => {
      const text = canonicalJson(value, 'm');
      assert.is(text, model(value));
      assert.is(canonicalJson(reversed(value), 'm'), text);
      assert.is(canonicalJson(JSON.parse(JSON.stringify(value, null, 3)), 'm'), text);
    }),
    { numRuns: 2_000 },
  );
});

canonical('canonical JSON writes field names such as `__proto__` unchanged', () => {
  const text = '{"__proto__":{"a":1},"constructor":2,"toString":3}';
  assert.is(canonicalJson(JSON.parse(text), 'm'), text);
});

canonical('canonical JSON refuses a value that JSON cannot represent and names the path of the value', () => {
  const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  assert.is(canonicalJson(deep(64), 'm').length, 128);
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ a: [{ b: 'x\ud800' }] }, /^a\[0\]\.b contains a lone surrogate .* cannot be signed \(in m\.json\)\.$/],
    [{ '\udc00': 1 }, /contains a lone surrogate/],
    [JSON.parse('{"a":{"b":1e400}}'), /^a\.b is a number that is too large/],
    [Number.NaN, /^The manifest as a whole is a number/],
    [{ a: undefined }, /^a is not a JSON value/],
    [{ a: 1n }, /^a is not a JSON value/],
    [deep(65), /is nested too deeply/],
    [deep(100_000), /is nested too deeply/],
  ];
  for (const [value, sentence] of refused) {
    assert.throws(
      () => canonicalJson(value, 'm.json'),
      (thrown: unknown) =>
        thrown instanceof Failure && thrown.code === 'signature.impossible' && sentence.test(thrown.message),
    );
  }
});

canonical.run();
