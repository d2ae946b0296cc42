import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { withBroker } from '../../harness/broker.ts';
import { echo } from '../../harness/clients/listeners.ts';

/** Program that leaves a socket file behind, like a killed hub. */
const ABANDON = `
require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'));
`;

type Context = { folder: string; file: string };

const unix = suite<Context>('broker: Unix sockets', { folder: '', file: '' });

unix.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-unix-'));
  context.file = join(context.folder, 'mqtt.sock');
});

unix.after.each(({ folder }) => rmSync(folder, { recursive: true }));

function assertEcho(file: string): Promise<void> {
  const client = new MqttClient(() => connect(file), { reconnectPeriod: 0 });
  return echo(client, 'hello').then(async received => {
    assert.is(received, 'hello');
    await client.endAsync();
  });
}

unix(
  'a Unix socket serves a client, has the configured mode, and is removed when the hub stops',
  async ({ file }) => {
    await withBroker(
      async broker => {
        assert.equal(broker.hub().status().listeners, [`unix:${file}`]);
        assert.is(statSync(file).mode & 0o777, 0o600);
        await assertEcho(file);
      },
      { manifest: { listeners: [{ unix: file }] } },
    );
    assert.not(existsSync(file));
    await withBroker(async () => assert.is(statSync(file).mode & 0o777, 0o660), {
      manifest: { listeners: [{ unix: file, mode: '0660' }] },
    });
  },
);

unix('a relative socket path is resolved against the folder of the manifest', () =>
  withBroker(async broker => assertEcho(join(broker.folder, 'near.sock')), {
    manifest: { listeners: [{ unix: 'near.sock' }] },
  }),
);

unix('the socket file that a killed hub left is replaced at the next start', async ({ file }) => {
  await once(spawn(process.execPath, ['-e', ABANDON, file]), 'close');
  assert.ok(existsSync(file));
  await withBroker(async () => assertEcho(file), { manifest: { listeners: [{ unix: file }] } });
});

unix('a Unix listener replaces neither a socket in use nor a regular file at its path', async ({ file }) => {
  const start = () => withBroker(async () => {}, { manifest: { listeners: [{ unix: file }] } });
  const codeOf = (thrown: unknown) => (thrown instanceof Failure ? thrown.code : String(thrown));
  const server = createServer(socket => socket.destroy());
  await new Promise<void>(resolve => server.listen(file, resolve));
  assert.is(await start().then(() => 'started', codeOf), 'listener.in-use');
  assert.ok(existsSync(file));
  await new Promise(resolve => server.close(resolve));
  writeFileSync(file, 'mine');
  await withBroker(
    async broker => {
      const [closed] = broker.hub().status().closedListeners;
      assert.match(closed?.reason ?? '', /is not a socket/);
    },
    { manifest: { listeners: [{ unix: file }] } },
  );
  assert.is(readFileSync(file, 'utf8'), 'mine');
});

unix.run();
