import { once } from 'node:events';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort, until } from '../harness/binary.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../harness/device.ts';

type Context = { device: TestDevice };

const listeners = suite<Context>('e2e: listeners that cannot be opened');

listeners.before.each(context => {
  context.device = openTestDevice();
});

listeners.after.each(({ device }) => device.close());

/** Address that is reserved for documentation and that no machine has (RFC 5737). */
const ABSENT_ADDRESS = '203.0.113.7:1883';

listeners(
  'a listener on an address that the machine does not have is reported, and all other listeners open',
  async ({ device }) => {
    const port = await freePort();
    const manifest = {
      modules: { m: sleeper(1001) },
      listeners: [{ mqtt: ABSENT_ADDRESS }, { ws: `127.0.0.1:${port}` }],
    };
    device.write('set.json', quickManifest(manifest));
    const hub = await device.up('set.json');
    await device.healthy();
    const status = await device.status();
    assert.equal(status.listeners, [`ws://127.0.0.1:${port}`]);
    assert.equal(
      status.closedListeners.map(({ address }) => address),
      [ABSENT_ADDRESS],
    );
    assert.equal(device.commands(), ['m: sleep 1001']);
    assert.match(
      hub.log(),
      /Cannot listen on 203\.0\.113\.7:1883 \(.*EADDRNOTAVAIL.*\).* The hub tries again while it runs\./,
    );
    assert.match((await device.command('ps')).out, /not listening on 203\.0\.113\.7:1883: Cannot listen/);
    const { code, out } = await device.command('check');
    assert.is(code, 1);
    assert.match(out, /PROBLEM\s+listener 203\.0\.113\.7:1883: Cannot listen/);
  },
);

listeners(
  'a listener whose port another program uses at the start of the hub opens once the port is free',
  async ({ device }) => {
    const port = await freePort();
    const manifest = { modules: { m: sleeper(1001) }, listeners: [{ mqtt: `127.0.0.1:${port}` }] };
    device.write('set.json', quickManifest(manifest));
    await device.up('set.json');
    await device.healthy();
    await device.hub().end('SIGTERM');
    const holder = createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    await device.up('set.json');
    assert.match(
      device.hub().log(),
      new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use.* The hub tries again`),
    );
    await until('the module runs', () => device.commands().length === 1);
    assert.equal((await device.status()).listeners, []);
    holder.close();
    await until('it listens', () => device.hub().log().includes(`The hub now listens on 127.0.0.1:${port}.`));
    assert.equal((await device.status()).listeners, [`127.0.0.1:${port}`]);
    assert.is(await device.hub().end('SIGTERM'), 0);
  },
);

listeners.run();
