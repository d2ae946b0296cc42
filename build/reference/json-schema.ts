import type { ConversionConfig } from '@valibot/to-json-schema';
import { toJsonSchema } from '@valibot/to-json-schema';
import { RESERVED_NAMES } from '../../src/manifest/json/check-json.ts';
import { manifestSchema } from '../../src/manifest/schema/schema.ts';

const CONFIG: ConversionConfig = {
  target: 'draft-2020-12',
  // JSON Schema cannot express these actions. The action `jsonSchema` (fields.ts) adds keywords for the
  // checks.
  ignoreActions: ['check', 'transform'],
  // If such keywords name the types of a value, they replace the alternatives that were generated for a
  // union.
  overrideAction: ({ valibotAction, jsonSchema: { anyOf, ...rest } }) =>
    valibotAction.type === 'metadata' && rest.type !== undefined && anyOf !== undefined && !rest.properties
      ? rest
      : undefined,
  overrideSchema: ({ valibotSchema, jsonSchema }) =>
    valibotSchema.type === 'record'
      ? {
          ...jsonSchema,
          propertyNames: { allOf: [jsonSchema.propertyNames ?? {}, { not: { enum: RESERVED_NAMES } }] },
        }
      : undefined,
};

/**
 * Returns the text of skerry.schema.json: the rules for a manifest that JSON Schema can express. The text is
 * ASCII.
 */
export function schemaText(): string {
  const { $schema, ...schema } = toJsonSchema(manifestSchema, CONFIG);
  return `${JSON.stringify({ $schema, title: 'A manifest of Skerry', ...schema }, undefined, 2)}\n`;
}
