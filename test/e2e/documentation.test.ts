import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../src/cli/reference/table.ts';
import { runPage } from '../harness/page.ts';

const root = resolve(import.meta.dirname, '../..');

const documentation = suite('e2e: documentation');

for (const page of globSync('{README.md,docs/{tutorials,how-to}/*.md}', { cwd: root }).toSorted()) {
  documentation(`the commands of ${page} do what it says`, () =>
    runPage(readFileSync(join(root, page), 'utf8')),
  );
}

documentation('README names the first word of each command', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const words = new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''));
  const missing = [...words].filter(word => !new RegExp(`\\b${word}\\b`).test(text));
  assert.equal(missing, []);
});

documentation.run();
