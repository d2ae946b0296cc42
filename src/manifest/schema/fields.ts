import * as v from 'valibot';
import { FORBIDDEN_CHARACTERS } from '../../core/text/characters.ts';
import { closestName } from '../../core/text/closest-name.ts';
import { DEVICE_NAME } from '../devices.ts';
import { durationOf, sizeOf } from '../units.ts';

/** Adds a description to a schema. Editors show the description. */
export function about<Schema extends v.GenericSchema>(description: string, schema: Schema) {
  return v.pipe(schema, v.description(description));
}

/**
 * Returns an action that adds JSON Schema keywords to a schema. The keywords describe the checks that precede
 * the action.
 */
export function jsonSchema<Input>(json: Readonly<Record<string, unknown>>) {
  return v.metadata<Input, Readonly<Record<string, unknown>>>(json);
}

/**
 * Returns the suggestion `: did you mean "x"?` if a word in `known` is similar to `word`. Otherwise returns
 * an empty string.
 */
export function didYouMean(word: unknown, known: Iterable<string>): string {
  const nearest = typeof word === 'string' ? closestName(word, known) : undefined;
  return nearest === undefined ? '' : `: did you mean "${nearest}"?`;
}

/** Formats options as `"a", "b" or "c"`. */
export function choice(options: readonly string[]): string {
  const quoted = options.map(option => `"${option}"`);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter(Boolean).join(' or ');
}

/** Returns the schema of an object that can have only the fields in `entries`. */
export function object<Entries extends v.ObjectEntries>(entries: Entries, problem = 'must be an object') {
  return rejectArray(
    v.strictObject(entries, ({ expected, input, path }) => {
      const [item] = path ?? [];
      if (item === undefined) return problem;
      const known = Object.keys(entries);
      if (expected === 'never') return `is an unknown field${didYouMean(input, known)}`;
      const written = Object.keys(item.input ?? {}).filter(field => !known.includes(field));
      const typo = closestName(String(item.key), written);
      return typo === undefined ? 'is missing' : `is missing: did you mean it by "${typo}"?`;
    }),
  );
}

/** Returns the schema of an object with arbitrary field names. */
export function byName<
  Name extends v.GenericSchema<string, string>,
  Value extends v.GenericSchema<unknown, unknown>,
>(key: Name, value: Value, problem: string) {
  return rejectArray(v.record(key, value, problem));
}

/** Returns a schema that also rejects arrays. valibot itself accepts an array as an object without fields. */
function rejectArray<Schema extends v.GenericSchema>(schema: Schema): Schema {
  return {
    ...schema,
    '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) =>
      schema['~run'](Array.isArray(dataset.value) ? { value: null } : dataset, config),
  };
}

/** Returns the schema of a string that is one of `options`. */
export function oneOf<const Options extends readonly string[]>(options: Options) {
  return v.picklist(options, ({ input }) => `must be ${choice(options)}${didYouMean(input, options)}`);
}

export const text = v.string('must be a string');

/** Returns the schema of a string that matches the regular expression `pattern`, with the flag `u`. */
export function matching(pattern: string, problem: string) {
  const expression = new RegExp(pattern, 'u');
  return v.pipe(
    v.string(problem),
    v.check(word => expression.test(word), problem),
    jsonSchema({ pattern }),
  );
}

/** Schema of a valid MQTT string. */
export const mqttString = matching(
  `^[^${FORBIDDEN_CHARACTERS}]*$`,
  'must be a string without control characters, which MQTT forbids',
);

export const flag = v.boolean('must be true or false');

/** Schema of a name that is valid in a topic, in a file name and in a route. */
export const name = v.pipe(text, v.regex(DEVICE_NAME, 'must be 1 to 64 letters, digits, "_" or "-"'));

const TIME = 'must be a time such as "90s", "2h" or "7d"';

/** Schema of a duration, which is converted to milliseconds. */
export const duration = v.pipe(
  v.union([v.string(), v.number()], TIME),
  v.check(value => durationOf(value) !== undefined, TIME),
  jsonSchema({
    type: ['string', 'number'],
    pattern: '^[0-9]{1,16}(\\.[0-9]{1,6})? ?(ms|s|m|h|d)$',
    minimum: 0,
  }),
  v.transform(value => durationOf(value) ?? 0),
);

/** Returns the schema of a duration of at most `max` milliseconds. */
export function durationUpTo(max: number, problem: string) {
  return v.pipe(
    duration,
    v.check(milliseconds => milliseconds <= max, problem),
    jsonSchema({ maximum: max / 1000 }),
  );
}

const SIZE = 'must be a size such as "512M"';

/** Schema of a size, which is converted to bytes. */
export const size = v.pipe(
  v.union([v.string(), v.number()], SIZE),
  v.check(value => sizeOf(value) !== undefined, SIZE),
  jsonSchema({
    type: ['string', 'integer'],
    pattern: '^[0-9]{1,16}(\\.[0-9]{1,6})? ?[KMGT]?$',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  }),
  v.transform(value => sizeOf(value) ?? 0),
);

/** Returns the schema of a size of at least `min` bytes. */
export function sizeFrom(min: number, problem: string) {
  return v.pipe(
    size,
    v.check(bytes => bytes >= min, problem),
    jsonSchema({ minimum: min }),
  );
}

/** Returns the schema of a number from `min` to `max`. Fractions are allowed. */
export function number(min: number, max: number, problem = 'must be a number') {
  return v.pipe(
    v.number(problem),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );
}

/** Returns the schema of a number of seconds from `min` to `max`. Fractions are allowed. */
export function seconds(min: number, max: number) {
  return number(min, max, 'must be a number of seconds');
}

/** Returns the schema of an integer from `min` to `max`. */
export function whole(min: number, max: number) {
  return v.pipe(
    v.number('must be a number'),
    v.integer('must be an integer'),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );
}

/** Schema of the name of an environment variable. Names that the hub reserves are invalid. */
export const variable = v.pipe(
  text,
  v.regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'is not a valid variable name: use letters, digits and "_", not starting with a digit',
  ),
  v.check(word => !word.startsWith('SKERRY_'), 'begins with "SKERRY_", which is reserved for the hub'),
  jsonSchema({ pattern: '^(?!SKERRY_)[A-Za-z_][A-Za-z0-9_]*$' }),
);
