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

const known = suite('e2e: authentication of modules by process');

const ROOT = process.getuid?.() === 0;
const CLIENT = [process.execPath, resolve(import.meta.dirname, 'connection-attempts.mjs')];
const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const EVERYTHING = { publish: ['#'], subscribe: ['#'] };
const ALICE = { username: 'alice', password: 'a-secret' };

type Attempt = Readonly<Record<string, string | number | boolean>>;

/** Returns the log lines of a module, without times, once it has made all attempts. */
async function answers(data: string, module: string): Promise<string[]> {
  const file = join(data, 'logs', `${module}.log`);
  const text = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until(`"${module}" has made all attempts`, () => / done\n$/.test(text()));
  return text()
    .split('\n')
    .map(line => line.replace(/^\S+ \S+ /, ''))
    .filter(line => line.includes(': '));
}

/**
 * Runs a hub with `manifest` and `modules`. Each module makes all connection `attempts` and logs the results.
 */
async function withClients(
  manifest: object,
  modules: Readonly<Record<string, object>>,
  attempts: readonly Attempt[],
  scenario: (data: string, hub: RunningHub) => Promise<void>,
): Promise<void> {
  const env = { ATTEMPTS: JSON.stringify(attempts) };
  const all = Object.entries(modules).map(([name, more]) => [name, { exec: CLIENT, env, ...more }]);
  const text = JSON.stringify({ name: 'known', ...manifest, modules: Object.fromEntries(all) });
  const folder = folderWith({ 'm.json': text }, '/var/tmp');
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const hub = await startHub(folder, 'm.json', data);
  try {
    await scenario(data, hub);
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

const CONFINEMENTS = {
  strict: { sandbox: 'strict' },
  standard: { sandbox: 'standard' },
  user: { user: 'dynamic' },
  plain: {},
  // Stays in the control group of its module but has a user ID without an account.
  changed: { exec: ['setpriv', '--reuid=65534', '--clear-groups', ...CLIENT] },
};

known(
  'a client process of a module is authenticated as this module or refused, with any credentials and listener',
  () =>
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
      await withClients(manifest, CONFINEMENTS, attempts, async data => {
        for (const name of Object.keys(CONFINEMENTS)) {
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
        // Local clients outside of modules are authenticated by their credentials.
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
    `a module in a ${level} sandbox without a network reaches only the hub, over the socket of the module`,
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
      await withClients(manifest, modules, attempts, async data => {
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
