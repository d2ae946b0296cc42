import * as v from 'valibot';
import { RESERVED_NAMES } from '../json/check-json.ts';
import { hasName, isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import { MAX_DESIRED_BYTES, MAX_DESIRED_NESTING } from '../limits.ts';
import { jsonSchema } from './fields.ts';

/**
 * Schema of the desired properties of a module. A module twin in Azure IoT Edge has the same kind of
 * properties.
 */
export const desired = v.pipe(
  // `v.record` silently drops fields such as `constructor`. The schema therefore begins with `v.unknown`.
  v.unknown(),
  v.check(isJsonObject, 'must be an object'),
  v.check(
    value => nestsWithin(value, MAX_DESIRED_NESTING),
    `must have at most ${MAX_DESIRED_NESTING} levels of nested objects and arrays`,
  ),
  v.check(
    value => !nestsWithin(value, MAX_DESIRED_NESTING) || !hasName(value, RESERVED_NAMES),
    `must not have fields called ${RESERVED_NAMES.join(', ')}`,
  ),
  v.check(
    value => !nestsWithin(value, MAX_DESIRED_NESTING) || bytesOf(value) <= MAX_DESIRED_BYTES,
    `must have at most ${MAX_DESIRED_BYTES} bytes as JSON`,
  ),
  jsonSchema({ type: 'object' }),
  v.transform((value): JsonObject => (isJsonObject(value) ? value : {})),
);

/**
 * Returns the reason why a value is not valid as desired properties. Returns undefined if the value is valid.
 */
export function desiredProblem(value: unknown): string | undefined {
  return v.safeParse(desired, value, { abortEarly: true }).issues?.[0].message;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
