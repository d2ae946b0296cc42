import { writeFileSync } from 'node:fs';
import { schemaText } from './json-schema.ts';

/* Writes skerry.schema.json. */
writeFileSync(new URL('../../skerry.schema.json', import.meta.url), schemaText());
