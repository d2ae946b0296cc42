import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseManifest } from '../../src/manifest/read.ts';

const page = readFileSync(new URL('../../docs/reference/manifest.md', import.meta.url), 'utf8');
const schema = readFileSync(new URL('../../skerry.schema.json', import.meta.url), 'utf8');

/** Names of all fields below `properties`, at any depth. */
function fieldsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === 'properties' && typeof inner === 'object' && inner !== null ? Object.keys(inner) : []),
    ...fieldsIn(inner),
  ]);
}

const documentation = suite('manifest: documentation');

documentation('the manifest reference page names every field of the schema', () => {
  const parsed: unknown = JSON.parse(schema);
  const fields = new Set(fieldsIn(parsed));
  assert.ok(fields.size > 60, String(fields.size));
  const words = new Set(page.match(/[$\w]+/g));
  assert.equal(
    [...fields].filter(field => !words.has(field)),
    [],
  );
});

documentation('the manifest in the reference page is valid', () => {
  const [example] = page.match(/(?:^ {4}.*\n)+/m) ?? [];
  assert.is(parseManifest(example ?? '', 'm.json').name, 'shop');
});

documentation('the errors in the manifest reference page equal the errors that the hub prints', () => {
  const host = { exec: ['a'] };
  const texts = [
    { name: 'a', modules: { host: { ...host, restat: 'always' } } },
    { name: 'a', modules: { host: { ...host, limits: { memory: '32M', memoryHigh: '1G' } } } },
  ].map(manifest => JSON.stringify(manifest));
  texts.push('{"name":"a","modules":{"host":1,"host":2}}', '{\n"name":\n"a"\n,\n"x":1\n,\n  }');
  for (const text of texts) {
    try {
      parseManifest(text, 'manifest.json');
      assert.unreachable();
    } catch (thrown) {
      assert.ok(thrown instanceof Error && page.includes(`    ${thrown.message}\n`), String(thrown));
    }
  }
});

documentation.run();
