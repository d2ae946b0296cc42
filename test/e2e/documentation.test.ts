import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../src/cli/reference/table.ts';
import { runPage } from '../harness/page.ts';

const root = resolve(import.meta.dirname, '../..');
const pages = globSync('{README.md,docs/{tutorials,how-to}/*.md}', { cwd: root }).toSorted();

/** Pages that run at the same time: most of their time is spent waiting. */
const AT_ONCE = 3;

const runs: Promise<Error | undefined>[] = [];
for (const [index, page] of pages.entries()) {
  const before = runs[index - AT_ONCE] ?? Promise.resolve();
  const text = readFileSync(join(root, page), 'utf8');
  runs.push(
    before
      .then(() => runPage(text))
      .then(
        () => undefined,
        (thrown: Error) => thrown,
      ),
  );
}

const documentation = suite('e2e: documentation');

for (const [index, page] of pages.entries()) {
  documentation(`the commands of ${page} do what it says`, async () => {
    const failure = await runs[index];
    if (failure !== undefined) throw failure;
  });
}

documentation('README names the first word of each command', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const words = new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''));
  const missing = [...words].filter(word => !new RegExp(`\\b${word}\\b`).test(text));
  assert.equal(missing, []);
});

documentation.run();
