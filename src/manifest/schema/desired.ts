import * as v from 'valibot';
import { MAX_DESIRED_BYTES, MAX_DESIRED_NESTING } from '../../core/manifest-limits.ts';
import { UNUSABLE } from '../json/check-json.ts';
import { hasName, isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import { stated } from './fields.ts';

/** What a module is told to be, as its twin in Azure IoT Edge would tell it. */
export const desired = v.pipe(
  // Not a record: that drops fields of some names without a word.
  v.unknown(),
  v.check(isJsonObject, 'must be an object'),
  v.check(
    value => nestsWithin(value, MAX_DESIRED_NESTING),
    `must have at most ${MAX_DESIRED_NESTING} objects and lists within each other`,
  ),
  v.check(
    value => !nestsWithin(value, MAX_DESIRED_NESTING) || !hasName(value, UNUSABLE),
    `must not have fields called ${UNUSABLE.join(', ')}`,
  ),
  v.check(
    value => !nestsWithin(value, MAX_DESIRED_NESTING) || bytesOf(value) <= MAX_DESIRED_BYTES,
    `must have at most ${MAX_DESIRED_BYTES} bytes as JSON`,
  ),
  stated({ type: 'object' }),
  v.transform((value): JsonObject => (isJsonObject(value) ? value : {})),
);

/** Why these can be no module's desired properties; undefined: they can. */
export function desiredProblem(value: unknown): string | undefined {
  return v.safeParse(desired, value, { abortEarly: true }).issues?.[0].message;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
