import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import { runPage } from './page.ts';

const root = resolve(import.meta.dirname, '../..');

const documentation = suite('e2e: documentation');

for (const page of globSync('docs/{tutorials,how-to}/*.md', { cwd: root }).toSorted()) {
  documentation(`the commands of ${page} do what it says`, () =>
    runPage(readFileSync(join(root, page), 'utf8')),
  );
}

documentation.run();
