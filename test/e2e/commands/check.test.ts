import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  folderWith,
  freePort,
  type RunningHub,
  removeFolder,
  run,
  startHub,
  until,
} from '../../harness/binary.ts';

const certificates = resolve(import.meta.dirname, '../../certificates');

const check = suite('e2e: skerry check, and the result of skerry apply');

/** Runs a hub with a manifest and with certificates beside the manifest. */
async function withHub(
  manifest: object,
  scenario: (folder: string, data: string, hub: RunningHub) => Promise<void>,
): Promise<void> {
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  for (const name of ['expired.pem', 'expired.key', 'server.pem', 'server.key'])
    copyFileSync(join(certificates, name), join(folder, name));
  const data = join(folder, 'data');
  const hub = await startHub(folder, 'manifest.json', 'data');
  try {
    await scenario(folder, data, hub);
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

const FAILING = {
  exec: ['sh', '-c', 'echo one >&2; echo "no \\033[1m sensor" >&2; exit 3'],
  restart: 'never',
};

check(
  '`skerry check` exits with 1 for a failed module, an unreachable upstream and an expired certificate',
  async () => {
    const port = await freePort();
    const manifest = {
      name: 'edge',
      listeners: [
        { mqtts: `127.0.0.1:${port}`, cert: 'expired.pem', key: 'expired.key' },
        { unix: 'mqtt.sock' },
      ],
      modules: { good: { exec: ['sleep', '1000'] }, failing: FAILING },
      upstream: { url: `mqtt://127.0.0.1:${await freePort()}` },
    };
    await withHub(manifest, async (folder, data, hub) => {
      assert.match(
        hub.log(),
        new RegExp(`hub: Starting skerry \\d+\\.\\d+\\.\\d+ with the data folder ${data}\\.\n`),
      );
      assert.match(hub.log(), /The certificate .*expired\.pem has expired on 2001-01-01: replace it\./);
      await until('the module and the connection have failed', () =>
        /failed[\s\S]*ECONNREFUSED/.test(run(['ps', '--data', data]).out),
      );
      const { code, out } = run(['check', '--data', data]);
      assert.is(code, 1);
      assert.match(out, /^ok +module "good": running, 0 restarts$/m);
      assert.match(
        out,
        /^PROBLEM +module "failing": failed, 0 restarts, last exit: exit 3 \(stderr: one \/ no {2}\[1m sensor\)$/m,
      );
      assert.match(out, /^PROBLEM +upstream: 127\.0\.0\.1:\d+ is waiting, 0 messages wait: .*ECONNREFUSED/m);
      assert.match(
        out,
        /^PROBLEM +listeners\[0\]\.cert: .*expired\.pem has expired on 2001-01-01: replace it$/m,
      );
      copyFileSync(join(certificates, 'server.pem'), join(folder, 'expired.pem'));
      assert.match(
        run(['check', '--data', data]).out,
        /^ok +listeners\[0\]\.cert: .* is valid until 2100-01-01$/m,
      );
      const json: readonly { readonly subject: string }[] = JSON.parse(
        run(['check', '--json', '--data', data]).out,
      );
      assert.ok(json.some(({ subject }) => subject === 'listeners[0].cert'));
    });
  },
);

check('`skerry apply` reports a rollback with the last lines of stderr of the failed module', async () => {
  const listeners = [{ unix: 'mqtt.sock' }];
  const deployment = { healthyFor: '200ms', within: '20s' };
  const manifest = { name: 'edge', listeners, deployment };
  await withHub(manifest, async (folder, data) => {
    const apply = (modules: object): ReturnType<typeof run> => {
      writeFileSync(join(folder, 'next.json'), JSON.stringify({ ...manifest, modules }));
      return run(['apply', join(folder, 'next.json'), '--data', data]);
    };
    const good = apply({ good: { exec: ['sleep', '1000'] } });
    assert.equal([good.code, good.err], [0, '']);
    assert.match(good.out, /\n"edge" \w+ is healthy\.\n$/);
    const bad = apply({ failing: FAILING });
    assert.is(bad.code, 1);
    assert.is(
      bad.err,
      'skerry: Module "failing" has failed: exit 3 (stderr: one / no  [1m sensor). Rolled back to the last healthy deployment.\n',
    );
  });
});

check.run();
