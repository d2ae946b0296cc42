import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { schemaText } from '../../../build/reference/json-schema.ts';
import { printManifest } from '../../../src/manifest/print.ts';
import { parseManifest } from '../../../src/manifest/read.ts';
import { run } from '../../harness/binary.ts';
import { REFUSED, textOf } from '../checks/refused/all.ts';
import { manifest } from '../manifests.ts';

const root = resolve(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'skerry.schema.json'), 'utf8');
const parsed: unknown = JSON.parse(text);

const ajv = new Ajv2020({ strictTypes: false, strictTuples: false, strictRequired: false, allErrors: true });
const accepts = ajv.compile(isObject(parsed) ? parsed : {});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All nested schemas with their paths. */
function* schemasIn(value: unknown, path = ''): Generator<readonly [string, Record<string, unknown>]> {
  if (!isObject(value)) return;
  yield [path, value];
  for (const [key, inner] of Object.entries(value)) {
    const isMap = key === 'properties';
    for (const [name, one] of Object.entries(isMap && isObject(inner) ? inner : {})) {
      yield* schemasIn(one, `${path}.${name}`);
    }
    if (key === 'additionalProperties' || key === 'items') yield* schemasIn(inner, `${path}.*`);
    if (key === 'anyOf' && Array.isArray(inner)) for (const one of inner) yield* schemasIn(one, path);
  }
}

const schema = suite('manifest: JSON Schema');

schema('skerry.schema.json equals the output of "npm run schema"', () => {
  assert.is(text, schemaText());
});

schema('`skerry schema` prints the JSON Schema', () => {
  assert.equal(run(['schema']), { code: 0, out: text, err: '' });
  assert.is(run(['schema', 'x']).code, 2);
});

schema('every object of the schema forbids unknown fields, and every field has a description', () => {
  const objects: string[] = [];
  for (const [path, one] of schemasIn(parsed)) {
    // Desired properties may have any fields.
    if (one['type'] !== 'object' || path.startsWith('.$') || path.endsWith('.desired')) continue;
    objects.push(path);
    const { properties, additionalProperties, propertyNames } = one;
    if (properties === undefined) {
      assert.ok(isObject(additionalProperties) && isObject(propertyNames), `${path} accepts any field`);
    } else {
      assert.is(additionalProperties, false, `${path} is open`);
      for (const [name, field] of Object.entries(isObject(properties) ? properties : {})) {
        assert.match(isObject(field) ? String(field['description']) : '', /^.{8,}[.,]$/, `${path}.${name}`);
      }
    }
  }
  assert.ok(objects.length >= 20, String(objects.length));
});

schema('the example manifests are valid and name the schema', () => {
  const files = globSync('examples/*/manifest.json', { cwd: root });
  assert.ok(files.length >= 2);
  for (const file of files) {
    const example: unknown = JSON.parse(readFileSync(join(root, file), 'utf8'));
    assert.ok(accepts(example), `${file}: ${ajv.errorsText(accepts.errors)}`);
    const named = isObject(example) ? String(example['$schema']) : '';
    assert.is(resolve(root, file, '..', named), join(root, 'skerry.schema.json'));
  }
});

schema('a manifest that the hub accepts is valid by the JSON Schema', () => {
  const agree = (made: object): void => {
    parseManifest(JSON.stringify(made), 'm.json');
    assert.ok(accepts(made), ajv.errorsText(accepts.errors));
  };
  fc.assert(fc.property(manifest, agree), { numRuns: 1000 });
});

schema(
  'a manifest that the hub refuses is invalid by the JSON Schema if the schema can express the rule',
  () => {
    for (const entry of REFUSED) {
      let value: unknown;
      try {
        value = JSON.parse(textOf(entry));
      } catch {
        continue;
      }
      assert.is(accepts(value), entry.beyondSchema === true, entry.sentence);
    }
  },
);

schema('a printed manifest is valid by the JSON Schema', () => {
  const written = (made: object): void => {
    const printed: unknown = JSON.parse(printManifest(JSON.stringify(made), 'm.json'));
    assert.ok(accepts(printed), ajv.errorsText(accepts.errors));
  };
  fc.assert(fc.property(manifest, written), { numRuns: 300 });
});

schema.run();
