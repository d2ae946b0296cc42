import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../src/cli/reference/table.ts';
import { folderWith, freePort, removeFolder, run, startHub } from '../harness/binary.ts';
import { runPage } from '../harness/documentation/page.ts';

const root = resolve(import.meta.dirname, '../..');
const pages = globSync('{README.md,docs/{tutorials,how-to}/*.md}', { cwd: root }).toSorted();

/** Maximum number of pages that run at the same time. They mostly wait. */
const CONCURRENT_PAGES = 3;

const runs: Promise<Error | undefined>[] = [];
for (const [index, page] of pages.entries()) {
  const before = runs[index - CONCURRENT_PAGES] ?? Promise.resolve();
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
  documentation(`the commands of ${page} run and print what the page shows`, async () => {
    const failure = await runs[index];
    if (failure !== undefined) throw failure;
  });
}

/** Returns the value at a path such as `modules[].restarts`, where `[]` is the first element. */
function valueAt(status: unknown, path: string): unknown {
  return path
    .replaceAll('[]', '.0')
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null
          ? Object.entries(value).find(([name]) => name === key)?.[1]
          : undefined,
      status,
    );
}

documentation('the README names each group of commands', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const words = new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''));
  const missing = [...words].filter(word => !new RegExp(`\\b${word}\\b`).test(text));
  assert.equal(missing, []);
});

const MANIFEST = {
  name: 'shop',
  modules: { host: { exec: ['sleep', '1000'] } },
  routes: { up: 'FROM /* INTO $upstream' },
  upstream: { url: 'mqtt://127.0.0.1:9' },
};

documentation('the docs name every $SYS topic, file and status field of a running hub', async () => {
  const port = await freePort();
  const listeners = [{ mqtt: `127.0.0.1:${port}` }];
  const folder = folderWith({ 'm.json': JSON.stringify({ ...MANIFEST, listeners }) });
  const hub = await startHub(folder, 'm.json', 'data');
  try {
    const page = readFileSync(join(root, 'docs/reference/sys-topics.md'), 'utf8');
    const { out } = run(['sub', '-p', String(port), '-t', '$SYS/#', '-F', '%t', '-W', '1']);
    const topics = out.trim().split('\n');
    assert.ok(topics.length > 25, out);
    const names = topics.map(topic => topic.replace('/host/', '/<module>/'));
    assert.equal(
      names.filter(name => !page.includes(`\`${name}\``)),
      [],
    );
    assert.is(run(['pub', '-p', String(port), '-t', 'a', '-m', 'b', '-q', '1']).code, 0);
    const status: unknown = JSON.parse(run(['ps', '--json', '--data', join(folder, 'data')]).out);
    const guide = readFileSync(join(root, 'docs/how-to/monitor.md'), 'utf8');
    const [, table = ''] = guide.split('| field of `ps --json` |');
    const cells = Array.from(table.matchAll(/^\| (`[^|]+`) \|/gm), ([, cell = '']) => cell);
    const paths = cells.flatMap(cell => cell.match(/[\w.[\]]+/g) ?? []);
    assert.ok(paths.length > 7);
    assert.equal(
      paths.filter(path => valueAt(status, path) === undefined),
      [],
    );
    const layout = readFileSync(join(root, 'docs/reference/data-folder.md'), 'utf8');
    const files = ['', 'store'].flatMap(name => readdirSync(join(folder, 'data', name)));
    assert.equal(
      files.filter(file => !layout.includes(file)),
      [],
    );
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
});

documentation.run();
