import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const src = join(import.meta.dirname, '../../src');
const limits = suite('core: limits');

limits('every constant in a file limits.ts has a comment with its unit or reason', async () => {
  const lines: string[] = [];
  const bad: string[] = [];
  for (const file of globSync('**/limits.ts', { cwd: src }).toSorted()) {
    const module: unknown = await import(join(src, file));
    assert.ok(typeof module === 'object' && module !== null);
    const text = readFileSync(join(src, file), 'utf8');
    for (const [name, value] of Object.entries(module)) {
      lines.push(`${file.replace('/limits.ts', '').padEnd(14)} ${name} = ${JSON.stringify(value)}`);
      // Constants that share a comment are in one block below the comment.
      const block = text.split(/\n\n/).find(part => part.includes(`export const ${name} `));
      if (block === undefined || !block.includes('/**')) bad.push(`${file}: ${name} has no comment`);
    }
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  assert.equal(bad, []);
  assert.ok(lines.length > 150);
});

limits('the name of a limit contains none of MOST, LEAST and FIRST and ends with its unit', () => {
  const names = globSync('**/limits.ts', { cwd: src }).flatMap(file =>
    Array.from(
      readFileSync(join(src, file), 'utf8').matchAll(/^export const (\w+)/gm),
      ([, name]) => name ?? '',
    ),
  );
  assert.equal(
    names.filter(name => /(^|_)(MOST|LEAST|FIRST)(_|$)|_(MS|SECONDS|BYTES)_/.test(name)),
    [],
  );
  assert.is(new Set(names).size, names.length);
});

limits.run();
