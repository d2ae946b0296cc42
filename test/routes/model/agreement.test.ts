import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printExpression } from '../../../src/routes/printer.ts';
import { compiled } from '../compiled.ts';
import { subjectOf } from '../subject.ts';
import { conditions, samples } from './arbitraries.ts';
import { evaluate } from './evaluator.ts';
import { pairs } from './pairs.ts';

const SAMPLES_EACH = 8;

const agreement = suite('routes: agreement of the skerry dialect');

agreement('a compiled skerry condition gives the same result as an interpreter of its syntax tree', () => {
  const seen = { true: 0, false: 0, undefined: 0 };
  const batch = fc.array(samples, { minLength: SAMPLES_EACH, maxLength: SAMPLES_EACH });
  const property = fc.property(conditions, batch, (condition, messages) => {
    const route = compiled(`FROM /* WHERE ${printExpression(condition)} INTO $upstream`);
    for (const message of messages) {
      const subject = subjectOf(message);
      const value = evaluate(condition, subject);
      const expected = value === true ? 'true' : value === false ? 'false' : 'undefined';
      assert.is(route.evaluate(subject), expected, printExpression(condition));
      seen[expected] += 1;
    }
  });
  fc.assert(property, { numRuns: Math.ceil(pairs() / SAMPLES_EACH) });
  for (const [verdict, times] of Object.entries(seen)) assert.ok(times > 1000, `${verdict}: ${times}`);
});

agreement.run();
