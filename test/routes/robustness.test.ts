import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ROUTE_LENGTH } from '../../src/core/limits.ts';
import { type Diagnostic, formatDiagnostic } from '../../src/routes/diagnostics.ts';
import { DIALECTS } from '../../src/routes/dialect.ts';
import { printRoute } from '../../src/routes/printer.ts';
import { compileRoute } from '../../src/routes/route.ts';
import { trees } from './model/arbitraries.ts';
import { subjectOf } from './subject.ts';

/** Tokens that the lexer and the parsers distinguish. */
const PIECES = [
  ...['FROM', 'WHERE', 'INTO', 'SELECT', '*', '/*', '*/', '/messages/*', 'topic', 'BrokeredEndpoint'],
  ...[
    '$upstream',
    '$body',
    '$body.a',
    '[0]',
    '["a"]',
    '$contentType',
    '{$a}',
    '{',
    '}',
    'a',
    'a-b',
    'length',
  ],
  ...['1', '0x', '1e', '.5', '"x"', "'x'", '"', "'", '\\', '\\u00', '(', ')', ',', 'AND', 'OR', 'NOT', '-'],
  ...[
    '=',
    '==',
    '!=',
    '!',
    '<',
    '<>',
    '||',
    '|',
    '??',
    '?',
    '%',
    '+',
    '&&',
    'true',
    'TRUE',
    'null',
    '\n',
    '\0',
  ],
];

const robustness = suite('routes: robustness');

robustness('the compiler never throws on random text, and every error has a position in the text', () => {
  const soups = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map(pieces => pieces.join(' '));
  const tight = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map(pieces => pieces.join(''));
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), soups, tight);
  const started = fc.tuple(fc.constantFrom('', 'FROM ', 'FROM /* WHERE ', 'FROM /* INTO '), texts);
  const property = fc.property(started, ([start, text]) => assertCompilesOrRefuses(start + text));
  fc.assert(property, { numRuns: 20_000 });
});

robustness('the compiler compiles or refuses a mutated route without an exception', () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const property = fc.property(
    trees,
    place,
    place,
    fc.constantFrom('', ...PIECES),
    (tree, from, to, piece) => {
      const text = printRoute(tree);
      const start = Math.floor(from * text.length);
      assertCompilesOrRefuses(text.slice(0, start) + piece + text.slice(Math.floor(to * text.length)));
    },
  );
  fc.assert(property, { numRuns: 5000 });
});

robustness('the longest routes of every shape compile quickly and do not exhaust the stack', () => {
  const shapes = [
    '(',
    'NOT ',
    '-',
    'a=',
    'a AND ',
    '1+',
    "'",
    '"\\',
    '/*',
    '$body.a',
    '[0]',
    '{',
    'abs(',
    'a??',
    '<',
  ];
  for (const shape of shapes) {
    const repeated = shape.repeat(MAX_ROUTE_LENGTH).slice(0, MAX_ROUTE_LENGTH - 'FROM /* WHERE '.length);
    assertCompilesOrRefuses(`FROM /* WHERE ${repeated}`);
    assertCompilesOrRefuses(shape.repeat(MAX_ROUTE_LENGTH * 10));
  }
});

function assertCompilesOrRefuses(text: string): void {
  for (const dialect of DIALECTS) {
    const result = compileRoute(text, dialect);
    if ('diagnostic' in result) assertShown(text, result.diagnostic);
    else {
      const { evaluate, warnings } = result.route;
      evaluate(subjectOf({ body: { a: [1, { b: 'x' }] }, properties: { a: '1' } }));
      for (const warning of warnings) assertShown(text, warning);
    }
  }
}

function assertShown(text: string, diagnostic: Diagnostic): void {
  const { start, end, line, column } = diagnostic;
  assert.ok(start >= 0 && start <= end && end <= Math.max(text.length, start), JSON.stringify(diagnostic));
  assert.ok(line >= 1 && column >= 1, JSON.stringify(diagnostic));
  assert.is(formatDiagnostic('r', text, diagnostic).split('\n').length, 3);
}

robustness.run();
