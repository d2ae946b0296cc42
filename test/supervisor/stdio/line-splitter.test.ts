import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LineBound } from '../../../src/supervisor/stdio/line-splitter.ts';
import { createLineSplitter } from '../../../src/supervisor/stdio/line-splitter.ts';

const MAX_BYTES = 8;

type Split = { readonly lines: string[]; readonly cuts: number };

/** Splits chunks into lines. Text is Latin-1, so that every byte has a character. */
function split(chunks: readonly Buffer[], overflow: LineBound['overflow'] = 'cut'): Split {
  const lines: string[] = [];
  let cuts = 0;
  const exceeded = (): void => {
    cuts += 1;
  };
  const splitter = createLineSplitter({ maxBytes: MAX_BYTES, overflow, exceeded });
  for (const chunk of chunks) {
    splitter.push(chunk);
    for (let line = splitter.next(); line !== undefined; line = splitter.next())
      lines.push(line.toString('latin1'));
  }
  const last = splitter.rest();
  if (last !== undefined) lines.push(last.toString('latin1'));
  return { lines, cuts };
}

/** Reference implementation for complete input. */
function expected(text: string, overflow: LineBound['overflow']): Split {
  const whole = text.split('\n');
  if (whole.at(-1) === '') whole.pop();
  const bare = whole.map(line => (line.endsWith('\r') ? line.slice(0, -1) : line));
  return {
    lines: bare
      .filter(line => overflow === 'cut' || line.length <= MAX_BYTES)
      .map(line => line.slice(0, MAX_BYTES)),
    cuts: bare.filter(line => line.length > MAX_BYTES).length,
  };
}

const TABLE: readonly (readonly [string, readonly string[], readonly string[], number])[] = [
  ['complete lines are returned', ['a\nb\n'], ['a', 'b'], 0],
  ['an empty line is returned', ['\n\na\n'], ['', '', 'a'], 0],
  ['a line across chunks is joined', ['ab', 'c', 'd\ne', '\n'], ['abcd', 'e'], 0],
  ['CR LF ends a line', ['a\r\nb\r\n'], ['a', 'b'], 0],
  ['CR LF across chunks ends a line', ['a\r', '\nb'], ['a', 'b'], 0],
  ['a CR within a line is kept', ['a\rb\n'], ['a\rb'], 0],
  ['a last line without a newline is returned', ['a\nb'], ['a', 'b'], 0],
  ['empty input has no line', [''], [], 0],
  ['a line of the maximum length is returned', ['12345678\n'], ['12345678'], 0],
  ['a line of the maximum length with CR LF is returned', ['12345678\r\n'], ['12345678'], 0],
  ['a line above the maximum length is cut', ['123456789\nb\n'], ['12345678', 'b'], 1],
  [
    'a line across chunks above the maximum length is cut',
    ['1234', '56789', '0', '\nb\n'],
    ['12345678', 'b'],
    1,
  ],
  ['a last line above the maximum length is cut', ['1234567890'], ['12345678'], 1],
  ['bytes that are not UTF-8 are unchanged', ['\xff\xfe\xc3\n\x00\x80\n'], ['\xff\xfe\xc3', '\x00\x80'], 0],
];

const test = suite('supervisor: line splitter');

for (const [name, chunks, lines, cuts] of TABLE) {
  test(name, () => {
    assert.equal(split(chunks.map(chunk => Buffer.from(chunk, 'latin1'))), { lines, cuts });
  });
}

test('the line splitter returns the same lines, however the stream is split into chunks', () => {
  const characters = fc.constantFrom('\n', '\n', '\r', 'a', 'b', '\xff', '\xc3');
  const chunks = fc.array(fc.string({ unit: characters, maxLength: 24 }), { maxLength: 12 });
  const overflows = fc.constantFrom('cut' as const, 'drop' as const);
  fc.assert(
    fc.property(chunks, overflows, (texts, overflow) => {
      const bytes = texts.map(text => Buffer.from(text, 'latin1'));
      assert.equal(split(bytes, overflow), expected(texts.join(''), overflow));
    }),
    { numRuns: 4_000 },
  );
});

test('the line splitter does not copy a line within one chunk', () => {
  const chunk = Buffer.from('one\ntwo\n');
  const splitter = createLineSplitter({ maxBytes: MAX_BYTES, overflow: 'cut', exceeded: () => {} });
  splitter.push(chunk);
  assert.is(splitter.next()?.buffer, chunk.buffer);
});

test('a line that the line splitter has returned is not overwritten by the next line', () => {
  const { lines } = split(['aa', 'a\nbb', 'b\ncc', 'c'].map(text => Buffer.from(text)));
  assert.equal(lines, ['aaa', 'bbb', 'ccc']);
});

test('the line splitter buffers a line without end only up to the maximum length', () => {
  const maxBytes = 1 << 16;
  for (const [overflow, rest] of [['cut', maxBytes] as const, ['drop', undefined] as const]) {
    const splitter = createLineSplitter({ maxBytes, overflow, exceeded: () => {} });
    const before = process.memoryUsage().arrayBuffers;
    const chunk = Buffer.alloc(1 << 16, 'x');
    for (let count = 0; count < 1_000; count += 1) {
      splitter.push(chunk);
      assert.is(splitter.next(), undefined);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * maxBytes);
    assert.is(splitter.rest()?.length, rest);
  }
});

test('the line splitter skips a line above the maximum length up to its end, also across chunks', () => {
  const chunks = ['1234', '56789', '0', '\nb\n123456789\n', '12345678\r', '\n1234567890'];
  assert.equal(
    split(
      chunks.map(text => Buffer.from(text)),
      'drop',
    ),
    { lines: ['b', '12345678'], cuts: 3 },
  );
});

test.run();
