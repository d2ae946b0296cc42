import * as v from 'valibot';
import { FORBIDDEN_CHARACTERS } from '../../core/characters.ts';
import { nearestName } from '../../core/nearest.ts';
import { durationOf, sizeOf } from '../units.ts';

/** The schema with what editors show of it. */
export function about<Schema extends v.GenericSchema>(description: string, schema: Schema) {
  return v.pipe(schema, v.description(description));
}

/** What of the checks before it a JSON Schema can say, in its words. */
export function stated<Input>(json: Readonly<Record<string, unknown>>) {
  return v.metadata<Input, Readonly<Record<string, unknown>>>(json);
}

/** ` did you mean "x"?` after a colon, if one of `known` is near. */
export function meant(word: unknown, known: Iterable<string>): string {
  const nearest = typeof word === 'string' ? nearestName(word, known) : undefined;
  return nearest === undefined ? '' : `: did you mean "${nearest}"?`;
}

/** `"a", "b" or "c"`. */
export function choice(options: readonly string[]): string {
  const quoted = options.map(option => `"${option}"`);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter(Boolean).join(' or ');
}

/** An object with these fields and no others. */
export function object<Entries extends v.ObjectEntries>(entries: Entries, complaint = 'must be an object') {
  return noList(
    v.strictObject(entries, ({ expected, input, path }) => {
      const [item] = path ?? [];
      if (item === undefined) return complaint;
      const known = Object.keys(entries);
      if (expected === 'never') return `is not a field this skerry knows${meant(input, known)}`;
      const written = Object.keys(item.input ?? {}).filter(field => !known.includes(field));
      const slip = nearestName(String(item.key), written);
      return slip === undefined ? 'is missing' : `is missing: did you mean it by "${slip}"?`;
    }),
  );
}

/** An object whose fields are names. */
export function byName<
  Name extends v.GenericSchema<string, string>,
  Value extends v.GenericSchema<unknown, unknown>,
>(key: Name, value: Value, complaint: string) {
  return noList(v.record(key, value, complaint));
}

/** valibot takes a list for an object without fields. */
function noList<Schema extends v.GenericSchema>(schema: Schema): Schema {
  return {
    ...schema,
    '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) =>
      schema['~run'](Array.isArray(dataset.value) ? { value: null } : dataset, config),
  };
}

/** One of some words. */
export function oneOf<const Options extends readonly string[]>(options: Options) {
  return v.picklist(options, ({ input }) => `must be ${choice(options)}${meant(input, options)}`);
}

export const text = v.string('must be a text');

/** A text that matches `pattern`, a regular expression with the flag `u`, as JSON Schema has them. */
export function matching(pattern: string, complaint: string) {
  const expression = new RegExp(pattern, 'u');
  return v.pipe(
    v.string(complaint),
    v.check(word => expression.test(word), complaint),
    stated({ pattern }),
  );
}

/** A string that an MQTT packet can hold. */
export const mqttString = matching(
  `^[^${FORBIDDEN_CHARACTERS}]*$`,
  'must be a text without control characters, which MQTT forbids',
);

/** True or false. */
export const flag = v.boolean('must be true or false');

/** A name that can stand in a topic, a file name and a route. */
export const name = v.pipe(
  text,
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"'),
);

const TIME = 'must be a time such as "90s", "2h" or "7d"';

/** Milliseconds. */
export const duration = v.pipe(
  v.union([v.string(), v.number()], TIME),
  v.check(value => durationOf(value) !== undefined, TIME),
  stated({ type: ['string', 'number'], pattern: '^[0-9]{1,16}(\\.[0-9]{1,6})? ?(ms|s|m|h|d)$', minimum: 0 }),
  v.transform(value => durationOf(value) ?? 0),
);

/** A time of at most so many milliseconds. */
export function durationUpTo(most: number, complaint: string) {
  return v.pipe(
    duration,
    v.check(milliseconds => milliseconds <= most, complaint),
    stated({ maximum: most / 1000 }),
  );
}

const SIZE = 'must be a size such as "512M"';

/** Bytes. */
export const size = v.pipe(
  v.union([v.string(), v.number()], SIZE),
  v.check(value => sizeOf(value) !== undefined, SIZE),
  stated({
    type: ['string', 'integer'],
    pattern: '^[0-9]{1,16}(\\.[0-9]{1,6})? ?[KMGT]?$',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  }),
  v.transform(value => sizeOf(value) ?? 0),
);

/** A size of at least so many bytes. */
export function sizeFrom(least: number, complaint: string) {
  return v.pipe(
    size,
    v.check(bytes => bytes >= least, complaint),
    stated({ minimum: least }),
  );
}

/** A number, fractions allowed. */
export function number(least: number, most: number, complaint = 'must be a number') {
  return v.pipe(
    v.number(complaint),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  );
}

/** A number of seconds, fractions allowed; `most` is the most. */
export function seconds(least: number, most: number) {
  return number(least, most, 'must be a number of seconds');
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

/** A name in a module's environment that the hub does not use for itself. */
export const variable = v.pipe(
  text,
  v.regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'is not a name for a variable: letters, digits and "_", and no digit first',
  ),
  v.check(word => !word.startsWith('SKERRY_'), 'begins with "SKERRY_": such variables are the hub\'s own'),
  stated({ pattern: '^(?!SKERRY_)[A-Za-z_][A-Za-z0-9_]*$' }),
);
