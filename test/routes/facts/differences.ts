/**
 * Conditions with two results in the tests of the reference. The result `error` is of a compiler without body
 * queries.
 */
export const UNDECIDED: ReadonlySet<string> = new Set(['$BODY.message.Weather.Temperature >= 50']);

/**
 * Conditions of the reference that no route can contain, because WHERE requires a condition.
 */
export const BLANK: ReadonlySet<string> = new Set(['  ']);

type Difference = { readonly is: string; readonly because: string };

const REFUSED_TYPE = 'a condition that can only be undefined, and AND and OR of null, are refused';
const UNKNOWN = 'an unknown system property is refused';
const NO_TEXT = 'a property without a value is missing; MQTT has none';
const MISSING = 'a missing value is undefined, not null';
const OTHER_NAME = 'a key with such characters is written ["key"]';

/** Differences of the default dialect with their reasons. docs/reference/routes.md documents them. */
export const SKERRY_DIFFERS: Readonly<Record<string, Difference>> = {
  '"a string"': { is: 'error', because: REFUSED_TYPE },
  "'a string'": { is: 'error', because: REFUSED_TYPE },
  'null and null': { is: 'error', because: REFUSED_TYPE },
  '(null and null) = null': { is: 'error', because: REFUSED_TYPE },
  'null or false': { is: 'error', because: REFUSED_TYPE },
  '(null or null) = null': { is: 'error', because: REFUSED_TYPE },
  "$sys2 = '4'": { is: 'error', because: UNKNOWN },
  'as_number($sys2) = 4': { is: 'error', because: UNKNOWN },
  '$body.message.Weather.Location.State = $State': { is: 'error', because: UNKNOWN },
  '$City <> $body.message.Weather.InvalidKey': { is: 'error', because: UNKNOWN },
  'KEY1 = "value1"': { is: 'undefined', because: 'names are case-sensitive' },
  '{$sys4} = "sysvalue4"': { is: 'false', because: '{$x} is the application property $x' },
  '{$sys1} = "sysvalue1"': { is: 'undefined', because: '{$x} is the application property $x' },
  'is_defined(null_value)': { is: 'false', because: NO_TEXT },
  'is_null(null_value)': { is: 'false', because: NO_TEXT },
  "is_defined('a' || null_value || 'd')": { is: 'false', because: NO_TEXT },
  "$body.message.Weather.InvalidKey <> '100'": { is: 'undefined', because: MISSING },
  'NOT ($body.message.Weather.InvalidProperty != null)': { is: 'undefined', because: MISSING },
  "$body.message.Weather.Temperature_PropertyConflict = '100'": {
    is: 'false',
    because: 'no application property hides a body value',
  },
  "$body.I'mnotusingspaces%1.es = 'Estoy usando %1'": { is: 'error', because: OTHER_NAME },
  "$body.Welcome!.I'mnotusingspaces%1.es = 'Estoy usando %1'": { is: 'error', because: OTHER_NAME },
};
