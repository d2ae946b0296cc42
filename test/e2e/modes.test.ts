import { spawn, spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, follow, removeFolder, run, skerry, until } from '../harness/binary.ts';
import { archive, sha256Of } from '../harness/bundles/archives.ts';

const BUNDLE = archive({ name: 'app', content: '#!/bin/sh\necho out >&2\nexec sleep 1000\n', mode: 0o755 });

/** Modes of files and folders that are not 0600 or 0700. */
const SHARED: readonly (readonly [path: RegExp, mode: string])[] = [
  [/^bundles$/, '755'],
  [/^bundles\/[0-9a-f]{64}(\/app)?$/, '555'],
  [/^hub\.sock$/, '660'],
  [/^keys\/device\.pub$/, '644'],
  [/^native\/[^/]+$/, '500'],
];

function manifestOf(sealed: string): object {
  return {
    name: 'a',
    listeners: [{ mqtt: '127.0.0.1:0' }, { unix: 'data/hub.sock', mode: '0660' }],
    deployment: { healthyFor: '100ms', within: '20s' },
    modules: {
      bundled: { exec: ['./app'], bundle: { sha256: sha256Of(BUNDLE), from: 'app.tar' }, io: 'lines' },
      secret: { exec: ['sleep', '1000'], io: 'lines', secrets: { KEY: { sealed, as: 'file' } } },
      screen: { exec: ['sh', '-c', 'echo shown; exec sleep 1000'], tty: true },
      ender: { exec: ['sh', '-c', 'echo x >&2; exit 1'], io: 'lines', restart: 'never' },
    },
    routes: { up: 'FROM /* INTO $upstream' },
    upstream: { url: 'mqtt://127.0.0.1:1' },
  };
}

type Found = { readonly path: string; readonly mode: string; readonly isFolder: boolean };

/** Lists files and folders below a folder, except links. A temporary file may disappear before lstat. */
function filesIn(folder: string, below = ''): Found[] {
  return readdirSync(join(folder, below)).flatMap(name => {
    const path = join(below, name);
    const stats = lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (stats === undefined || stats.isSymbolicLink()) return [];
    const own = { path, mode: (stats.mode & 0o7777).toString(8), isFolder: stats.isDirectory() };
    return own.isFolder ? [own, ...filesIn(folder, path)] : [own];
  });
}

function expected({ path, isFolder }: Found): string {
  return SHARED.find(([pattern]) => pattern.test(path))?.[1] ?? (isFolder ? '700' : '600');
}

const modes = suite('e2e: file modes');

for (const umask of ['000', '022', '077']) {
  modes(`every file and folder of the data folder has its fixed mode with umask ${umask}`, async () => {
    const folder = folderWith({});
    const data = join(folder, 'data');
    writeFileSync(join(folder, 'app.tar'), BUNDLE);
    const within = (...args: readonly string[]): [string, string[]] => [
      'sh',
      ['-c', `umask ${umask}; exec "$0" "$@"`, skerry, ...args],
    ];
    const { stdout: sealed } = spawnSync(...within('seal', '--data', data), { input: 's', encoding: 'utf8' });
    writeFileSync(join(folder, 'hub.json'), JSON.stringify(manifestOf(sealed.trim())));
    const hub = follow(
      spawn(...within('up', join(folder, 'hub.json'), '--data', data), {
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    );
    await hub.listens();
    await until('all run', () => /"screen" started/.test(hub.log()) && /"ender" exited/.test(hub.log()));
    run(['apply', join(folder, 'hub.json'), '--data', data, '--no-wait']);
    await until('its log is there', () => readdirSync(join(data, 'logs')).length >= 3);
    const found = filesIn(data);
    await hub.end();
    const left = filesIn(data);
    removeFolder(folder);
    assert.ok(found.length > 15, String(found.length));
    for (const one of [...found, ...left]) assert.is(one.mode, expected(one), one.path);
  });
}

modes.run();
