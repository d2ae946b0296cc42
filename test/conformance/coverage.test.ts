import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const table = readFileSync(join(import.meta.dirname, 'COVERAGE.md'), 'utf8');

/** Rows: statements, the file under test/, and a part of the test title in the source. */
const ROWS = Array.from(
  table.matchAll(/^\| ([\d., -]+) \| `([^`]+)`: "(.+)" \|$/gm),
  ([, ids, file, name]) => ({
    ids: (ids ?? '').split(', '),
    file: file ?? '',
    name: name ?? '',
  }),
);

const coverage = suite('conformance: coverage of MQTT 5');

coverage('every row of COVERAGE.md names a test that exists', () => {
  assert.is(ROWS.length, table.split('\n').filter(line => /^\| \d/.test(line)).length);
  for (const { file, name } of ROWS) {
    const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8');
    assert.ok(text.includes(name), `${file} has no test "${name}"`);
  }
});

coverage('each MQTT statement of COVERAGE.md has a valid number and occurs once', () => {
  const ids = ROWS.flatMap(row => row.ids);
  for (const id of ids) assert.match(id, /^\d\.\d{1,2}\.\d-\d{1,2}$/);
  assert.is(new Set(ids).size, ids.length);
  process.stdout.write(`\n${ids.length} statements of MQTT 5 are checked\n`);
});

coverage.run();
