import { once } from 'node:events';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort, until } from '../harness/binary.ts';
import { openTestDevice, soon, type TestDevice, waiting } from '../harness/device.ts';

type Context = { site: TestDevice };

const listeners = suite<Context>('e2e: listeners that cannot be opened');

listeners.before.each(context => {
  context.site = openTestDevice();
});

listeners.after.each(({ site }) => site.close());

/** An address for documentation, which no machine has (RFC 5737). */
const NOWHERE = '203.0.113.7:1883';

listeners(
  'an address that does not exist yet holds up nothing, and is in the log, ps and check',
  async ({ site }) => {
    const port = await freePort();
    const manifest = {
      modules: { m: waiting(1001) },
      listeners: [{ mqtt: NOWHERE }, { ws: `127.0.0.1:${port}` }],
    };
    site.write('set.json', soon(manifest));
    const hub = await site.up('set.json');
    await site.healthy();
    const status = await site.status();
    assert.equal(status.listeners, [`ws://127.0.0.1:${port}`]);
    assert.equal(
      status.closedListeners.map(({ address }) => address),
      [NOWHERE],
    );
    assert.equal(site.commands(), ['m: sleep 1001']);
    assert.match(
      hub.log(),
      /Cannot listen on 203\.0\.113\.7:1883 \(.*EADDRNOTAVAIL.*\).* The hub tries it again\./,
    );
    assert.match((await site.command('ps')).out, /not listening on 203\.0\.113\.7:1883: Cannot listen/);
    const { code, out } = await site.command('check');
    assert.is(code, 1);
    assert.match(out, /PROBLEM\s+listener 203\.0\.113\.7:1883: Cannot listen/);
  },
);

listeners(
  'a port that another program took while the hub was away is listened on when it is free',
  async ({ site }) => {
    const port = await freePort();
    const manifest = { modules: { m: waiting(1001) }, listeners: [{ mqtt: `127.0.0.1:${port}` }] };
    site.write('set.json', soon(manifest));
    await site.up('set.json');
    await site.healthy();
    await site.hub().end('SIGTERM');
    const holder = createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    await site.up('set.json');
    assert.match(
      site.hub().log(),
      new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use.* The hub tries it again`),
    );
    await until('the module runs', () => site.commands().length === 1);
    assert.equal((await site.status()).listeners, []);
    holder.close();
    await until('it listens', () => site.hub().log().includes(`The hub listens on 127.0.0.1:${port} now.`));
    assert.equal((await site.status()).listeners, [`127.0.0.1:${port}`]);
    assert.is(await site.hub().end('SIGTERM'), 0);
  },
);

listeners.run();
