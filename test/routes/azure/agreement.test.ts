import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printExpression, printRoute } from '../../../src/routes/printer.ts';
import { compileRoute } from '../../../src/routes/route.ts';
import { parseRoute } from '../../../src/routes/syntax/parser.ts';
import { pairs } from '../model/pairs.ts';
import { withoutSpans } from '../model/tree.ts';
import { subjectOf } from '../subject.ts';
import { azureConditions, azureSamples } from './arbitraries.ts';
import { azureVerdict } from './evaluator.ts';

const SAMPLES_EACH = 8;

const agreement = suite('routes: agreement of the azure dialect');

agreement('a compiled azure condition gives the same result as an interpreter of its syntax tree', () => {
  const seen = new Map(['true', 'false', 'undefined', 'refused'].map(verdict => [verdict, 0]));
  const batch = fc.array(azureSamples, { minLength: SAMPLES_EACH, maxLength: SAMPLES_EACH });
  const property = fc.property(azureConditions, batch, (condition, messages) => {
    const text = printExpression(condition, 'azure');
    const result = compileRoute(`FROM /* WHERE ${text} INTO $upstream`, 'azure');
    for (const message of messages) {
      const subject = subjectOf(message);
      const expected = azureVerdict(condition, subject);
      assert.is('route' in result ? result.route.evaluate(subject) : 'refused', expected, text);
      seen.set(expected, (seen.get(expected) ?? 0) + 1);
    }
  });
  fc.assert(property, { numRuns: Math.ceil(pairs() / SAMPLES_EACH) });
  assert.is(seen.size, 4);
  for (const [verdict, times] of seen) assert.ok(times > 500, `${verdict}: ${times}`);
});

agreement('a printed azure route parses to the same syntax tree', () => {
  const source = { kind: 'path', segments: ['messages', 'modules', 'm'] } as const;
  const sink = { kind: 'upstream', name: undefined } as const;
  const property = fc.property(azureConditions, condition => {
    const tree = { source, condition, sink };
    const text = printRoute(tree, 'azure');
    assert.equal(withoutSpans(parseRoute(text, 'azure').tree), withoutSpans(tree), text);
  });
  fc.assert(property, { numRuns: 3000 });
});

agreement('a printed azure string literal parses to the same value', () => {
  const property = fc.property(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '\\', '\\u0041', '"'),
    (one, more) => {
      const condition = { kind: 'literal', value: one + more, start: 0, end: 0 } as const;
      const text = `FROM /* WHERE ${printExpression(condition, 'azure')} INTO $upstream`;
      assert.equal(withoutSpans(parseRoute(text, 'azure').tree.condition), withoutSpans(condition), text);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

agreement.run();
