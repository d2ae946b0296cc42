import fc from 'fast-check';

const level = fc.constantFrom('a', 'b', '', '$x');

/** A topic of few levels over few names, so that filters often meet it; some begin with `$`. */
export const topic: fc.Arbitrary<string> = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map(levels => levels.join('/') || 'a');

/** A valid filter over the same names. */
export const filter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('#', '+', 'a'))
  .map(([levels, last]) => [...levels, last].join('/'));
