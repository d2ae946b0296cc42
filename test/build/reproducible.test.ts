import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

const reproducible = suite('build: reproducible builds');

reproducible('a build in another folder with the published code cache gives the same binary', () => {
  // Below dist, because hard links do not cross file systems.
  const copy = mkdtempSync(join(dist, '.copy-'));
  try {
    const sources = ['src', 'build', 'build.mjs', 'package.json', 'package-lock.json', 'skerry.schema.json'];
    execFileSync('cp', ['-a', ...sources.map(name => join(root, name)), copy]);
    execFileSync('cp', ['-al', join(root, 'node_modules'), copy]);
    execFileSync(process.execPath, ['build.mjs', '--cache', join(dist, 'skerry.cache')], { cwd: copy });
    for (const file of ['skerry', 'skerry.cdx.json', 'skerry.cache']) {
      const [one, other] = [readFileSync(join(dist, file)), readFileSync(join(copy, 'dist', file))];
      assert.ok(one.equals(other), file);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
});

reproducible('a build refuses a code cache that was made for another program', () => {
  const work = mkdtempSync(join(dist, '.cache-'));
  try {
    const cache = join(work, 'other.cache');
    copyFileSync(join(dist, 'skerry.cache'), cache);
    const bytes = readFileSync(cache);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(cache, bytes);
    const build = ['build.mjs', '--arch', process.arch, '--cache', cache];
    const { status, stderr } = spawnSync(process.execPath, build, { cwd: root, encoding: 'utf8' });
    assert.is(status, 1);
    assert.match(stderr, /is the code cache of another program: build without --cache\./);
  } finally {
    rmSync(work, { recursive: true });
  }
});

reproducible('the bill of materials lists each bundled package with its version and licence', () => {
  const bill = JSON.parse(readFileSync(join(dist, 'skerry.cdx.json'), 'utf8'));
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const components: { name: string; version: string; licenses?: { license: { id: string } }[] }[] =
    bill.components;
  for (const [name, version] of Object.entries(dependencies)) {
    const found = components.find(component => component.name === name);
    assert.is(found?.version, version, name);
    assert.type(found?.licenses?.[0]?.license.id, 'string', name);
  }
  for (const name of ['node', 'v8', 'openssl', 'liblmdb', 'lz4', 'node-addon-api'])
    assert.ok(
      components.some(component => component.name === name && component.version !== ''),
      name,
    );
  assert.is(bill.specVersion, '1.5');
});

reproducible.run();
