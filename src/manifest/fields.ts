import * as v from 'valibot';
import { durationOf, sizeOf } from './units.ts';

/** A name that can stand in a topic, a file name and a route. */
export const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"'),
);

export const duration = v.pipe(
  v.union([v.string(), v.number()], 'must be a time such as "90s", "2h" or "7d"'),
  v.check(value => durationOf(value) !== undefined, 'must be a time such as "90s", "2h" or "7d"'),
  v.transform(value => durationOf(value) ?? 0),
);

export const size = v.pipe(
  v.union([v.string(), v.number()], 'must be a size such as "512M"'),
  v.check(value => sizeOf(value) !== undefined, 'must be a size such as "512M"'),
  v.transform(value => sizeOf(value) ?? 0),
);

/** A number of seconds, fractions allowed; `most` is the most. */
export function seconds(least: number, most: number) {
  return v.pipe(
    v.number('must be a number of seconds'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  );
}

/** A whole number. */
export function whole(least: number, most: number) {
  return v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  );
}

/** A name in an environment. */
export const variable = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name for a variable'),
);
