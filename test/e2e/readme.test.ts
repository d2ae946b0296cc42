import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../src/cli/reference/table.ts';
import { folderWith, freePort, removeFolder, skerry, startHub, until } from '../harness/binary.ts';

const root = resolve(import.meta.dirname, '../..');

/** The indented block of README.md that begins with a line. */
function blockFrom(first: string): string {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const block = (text.match(/(?:^ {4}.*\n)+/gm) ?? []).find(one => one.startsWith(`    ${first}`));
  assert.ok(block !== undefined, `README.md has a block that begins with ${first}`);
  return (block ?? '').replace(/^ {4}/gm, '');
}

const readme = suite('e2e: README');

readme('its example can be pasted: each command works, in an empty home', async () => {
  const port = String(await freePort());
  const folder = folderWith({});
  const env = { PATH: `${dirname(skerry)}:${process.env['PATH'] ?? ''}`, HOME: folder };
  const shell = (cwd: string, script: string) =>
    spawnSync('bash', ['-ec', script.replaceAll('1884', port)], {
      cwd,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
  const [up = '', ...made] = blockFrom('mkdir -p shop').trimEnd().split('\n').reverse();
  assert.match(up, /^skerry up manifest\.json --data \.\/data$/);
  const making = shell(folder, made.reverse().join('\n'));
  assert.equal([making.status, making.stderr], [0, '']);
  const shop = join(folder, 'shop');
  const hub = await startHub(shop, 'manifest.json', 'data');
  try {
    await until('the bell has rung', () =>
      shell(shop, 'skerry logs bell --data ./data').stdout.includes('ring:'),
    );
    for (const line of [
      ...blockFrom('skerry ps --data').trimEnd().split('\n'),
      ...blockFrom('skerry apply').trimEnd().split('\n'),
      'skerry check --data ./data',
    ]) {
      const { status, stdout, stderr } = shell(shop, line);
      assert.is(status, 0, `${line}: ${stderr}${stdout}`);
    }
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
});

readme('it names each first word of a command', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const words = new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''));
  const missing = [...words].filter(word => !new RegExp(`\\b${word}\\b`).test(text));
  assert.equal(missing, []);
});

readme.run();
