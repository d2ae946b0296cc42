import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import type { RunningHub } from '../../harness/binary.ts';
import { folderWith, freePort, removeFolder, startHub, until } from '../../harness/binary.ts';
import { withFiles } from '../../harness/certificates.ts';
import { skip } from '../../harness/skip.ts';

const known = suite('e2e: a module is known by its process');

const ROOT = process.getuid?.() === 0;
const ASKER = [process.execPath, resolve(import.meta.dirname, 'asker.mjs')];
const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const EVERYTHING = { publish: ['#'], subscribe: ['#'] };
const ALICE = { username: 'alice', password: 'a-secret' };

type Attempt = Readonly<Record<string, string | number | boolean>>;

/** Log lines of a module after it has finished, without times. */
async function answers(data: string, module: string): Promise<string[]> {
  const file = join(data, 'logs', `${module}.log`);
  const text = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until(`"${module}" has asked all`, () => / done\n$/.test(text()));
  return text()
    .split('\n')
    .map(line => line.replace(/^\S+ \S+ /, ''))
    .filter(line => line.includes(': '));
}

/**
 * Runs a hub with `manifest` and modules that ask in the ways of `attempts`, each confined in a way of its
 * own.
 */
async function withAskers(
  manifest: object,
  modules: Readonly<Record<string, object>>,
  attempts: readonly Attempt[],
  play: (data: string, hub: RunningHub) => Promise<void>,
): Promise<void> {
  const env = { ATTEMPTS: JSON.stringify(attempts) };
  const all = Object.entries(modules).map(([name, more]) => [name, { exec: ASKER, env, ...more }]);
  const text = JSON.stringify({ name: 'known', ...manifest, modules: Object.fromEntries(all) });
  const folder = folderWith({ 'm.json': text }, '/var/tmp');
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const hub = await startHub(folder, 'm.json', data);
  try {
    await play(data, hub);
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

const WAYS = {
  strict: { sandbox: 'strict' },
  standard: { sandbox: 'standard' },
  user: { user: 'dynamic' },
  plain: {},
  // In the control group of its module, as a user that is nobody's.
  changed: { exec: ['setpriv', '--reuid=65534', '--clear-groups', ...ASKER] },
};

known('whatever it shows and wherever it connects, it is that module or is refused', () =>
  withFiles(async files => {
    if (!ROOT) return skip('only root starts programs as another user');
    const [port, secure, web] = [await freePort(), await freePort(), await freePort()];
    const unix = join('/var/tmp', `skerry-known-${process.pid}.sock`);
    const attempts = [
      { label: 'nothing', port },
      { label: 'a token', port, token: true },
      { label: 'a user', port, ...ALICE },
      { label: 'a wrong token', port, username: 'strict', password: 'wrong' },
      { label: 'TLS', secure },
      { label: 'a user over TLS', secure, ...ALICE },
      { label: 'a WebSocket', web },
      { label: 'a Unix socket', unix },
      { label: 'a user on a Unix socket', unix, ...ALICE },
    ];
    const manifest = {
      listeners: [
        { mqtt: `0.0.0.0:${port}` },
        { mqtts: `127.0.0.1:${secure}`, ...files.tls },
        { ws: `127.0.0.1:${web}` },
        { unix, mode: '0666' },
      ],
      users: { alice: { password: await hashPassword(Buffer.from('a-secret'), random), ...EVERYTHING } },
      anonymous: EVERYTHING,
    };
    await withAskers(manifest, WAYS, attempts, async data => {
      for (const name of Object.keys(WAYS)) {
        assert.equal(
          await answers(data, name),
          [
            'nothing: # 128, inputs 0',
            'a token: # 128, inputs 0',
            'a user: refused 5',
            'a wrong token: refused 5',
            'TLS: # 128, inputs 0',
            'a user over TLS: refused 5',
            'a WebSocket: # 128, inputs 0',
            'a Unix socket: # 128, inputs 0',
            'a user on a Unix socket: refused 5',
          ],
          name,
        );
      }
      // Others of this machine are who they say they are.
      for (const credentials of [{}, ALICE]) {
        const client = await connectAsync(`mqtt://127.0.0.1:${port}`, credentials);
        assert.equal(
          (await client.subscribeAsync('#')).map(({ qos }) => qos),
          [0],
        );
        await client.endAsync();
      }
    });
  }),
);

for (const level of ['standard', 'strict']) {
  known(
    `${level}: without a network a module reaches the hub by a socket of its own, and nothing else`,
    async () => {
      if (!ROOT) return skip('only root starts programs as another user');
      const port = await freePort();
      const attempts = [
        { label: 'the machine', port },
        { label: 'its socket', own: true },
        { label: 'its token there', own: true, token: true },
        { label: 'another user there', own: true, ...ALICE },
      ];
      const offline = { sandbox: { level, network: 'none' } };
      const modules = {
        m: offline,
        listing: {
          ...offline,
          exec: ['sh', '-c', 'cat /proc/net/dev; echo done; exec sleep 1000'],
        },
      };
      const manifest = { listeners: [{ mqtt: `127.0.0.1:${port}` }] };
      await withAskers(manifest, modules, attempts, async data => {
        assert.equal(await answers(data, 'm'), [
          'the machine: closed',
          'its socket: # 128, inputs 0',
          'its token there: # 128, inputs 0',
          'another user there: refused 5',
        ]);
        const listing = await answers(data, 'listing');
        assert.equal(
          listing.flatMap(line => /^ *([^ :]+): +\d/.exec(line)?.[1] ?? []),
          ['lo'],
          listing.join('\n'),
        );
      });
    },
  );
}

known.run();
