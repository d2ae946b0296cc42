import fc from 'fast-check';

const level = fc.constantFrom('a', 'b', '', '$x');

/** Arbitrary topics of few levels and names, so that filters often match. Some begin with `$`. */
export const topic: fc.Arbitrary<string> = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map(levels => levels.join('/') || 'a');

/** Arbitrary valid filters with the same names. */
export const filter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('#', '+', 'a'))
  .map(([levels, last]) => [...levels, last].join('/'));
