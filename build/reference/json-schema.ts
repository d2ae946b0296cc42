import type { ConversionConfig } from '@valibot/to-json-schema';
import { toJsonSchema } from '@valibot/to-json-schema';
import { RESERVED_NAMES } from '../../src/manifest/json/check-json.ts';
import { manifestSchema } from '../../src/manifest/schema/schema.ts';

const CONFIG: ConversionConfig = {
  target: 'draft-2020-12',
  // What a check asks of what is written stands beside it, in `stated`.
  ignoreActions: ['check', 'transform'],
  // A statement that names the types says all.
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

/** The text of skerry.schema.json: what a manifest may say, as far as JSON Schema can. In ASCII. */
export function schemaText(): string {
  const { $schema, ...schema } = toJsonSchema(manifestSchema, CONFIG);
  return `${JSON.stringify({ $schema, title: 'A manifest of Skerry', ...schema }, undefined, 2)}\n`;
}
