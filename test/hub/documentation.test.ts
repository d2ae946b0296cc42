import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grantsOf } from '../../src/hub/grants.ts';
import { parseManifest } from '../../src/manifest/read.ts';

/** The blocks of a page under docs/ that are indented. */
function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return text.match(/(?:^ {4}.*\n)+/gm) ?? [];
}

const documentation = suite('hub: documentation');

documentation('the listeners shown are taken', () => {
  const entries = examplesOf('listeners.md').flatMap(block => block.split(/(?<=\})\n(?= {4}\{)/));
  assert.is(entries.length, 6);
  const listeners: unknown = JSON.parse(`[${entries.join(',')}]`);
  assert.is(parseManifest(JSON.stringify({ name: 'a', listeners }), 'm.json').listeners.length, 6);
});

documentation('the grants shown are taken', () => {
  const fields = examplesOf('access.md');
  assert.is(fields.length, 3);
  const grants = grantsOf(parseManifest(`{"name":"a",${fields.join(',')}}`, 'm.json'));
  assert.equal([...grants.users.keys(), ...grants.modules.keys()], ['kitchen', 'gate', 'logger']);
});

documentation('the desired properties shown are taken', () => {
  const shown = examplesOf('azure.md').find(block => block.includes('"modules"'));
  assert.equal(parseManifest(`{"name":"a",${shown}}`, 'm.json').modules[0]?.desired, { SendInterval: 5 });
});

documentation.run();
