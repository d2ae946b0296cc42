import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, startHub } from '../../harness/binary.ts';
import type { BrokerHarness, Client, ConnectOptions } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { enter } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const wills = suite('broker: wills that outlive the hub');

const DELAY = 60;

function mortal(delay: number, expiry: number): ConnectOptions {
  const properties = { willDelayInterval: delay, contentType: 'text/plain', userProperties: { k: 'v' } };
  const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: false, properties } as const;
  return { clientId: 'mortal', clean: false, will, properties: { sessionExpiryInterval: expiry } };
}

async function listen(stage: BrokerHarness): Promise<Client> {
  const listener = await stage.client(5);
  await listener.connect({ clientId: 'listener' });
  await listener.subscribe('wills', 0);
  return listener;
}

/** Ways in which the connection ends before the hub, with the elapsed seconds of its delay. */
const ENDS: readonly (readonly [how: string, end: (client: Client) => unknown, passed: number])[] = [
  ['with the hub', () => {}, 0],
  ['before the hub ends', client => client.send({ cmd: 'disconnect', reasonCode: 4 }), 10],
];

for (const [how, end, passed] of ENDS) {
  wills(`a delayed will of a connection that ended ${how} is published after the restart, in time`, () => {
    const clock = createTestClock();
    return withBroker(
      async stage => {
        const client = await stage.client(5);
        await client.connect(mortal(DELAY, 1000));
        await end(client);
        if (passed > 0) assert.is(await client.next(), 'closed');
        clock.advance(passed * 1000);
        await stage.restart();
        const listener = await listen(stage);
        clock.advance((DELAY - passed - 1) * 1000);
        assert.equal(await listener.roundTrip(), []);
        clock.advance(2000);
        const will = await listener.next();
        assert.is(brief(will), 'wills gone q0');
        if (will === 'closed' || will.cmd !== 'publish') throw new Error(brief(will));
        assert.is(will.properties?.contentType, 'text/plain');
        assert.equal({ ...will.properties?.userProperties }, { k: 'v' });
        await stage.restart();
        const later = await listen(stage);
        clock.advance(DELAY * 1000);
        assert.equal(await later.roundTrip(), []);
      },
      { clock },
    );
  });
}

wills('a pending will is published when its session ends, after a restart, too', () => {
  const clock = createTestClock();
  return withBroker(
    async stage => {
      const client = await stage.client(5);
      await client.connect(mortal(DELAY, 20));
      await stage.restart();
      const listener = await listen(stage);
      clock.advance(19_000);
      assert.equal(await listener.roundTrip(), []);
      clock.advance(2000);
      assert.is(brief(await listener.next()), 'wills gone q0');
    },
    { clock },
  );
});

wills('a will that is pending over a restart is taken back by a connection that resumes its session', () => {
  const clock = createTestClock();
  return withBroker(
    async stage => {
      const client = await stage.client(5);
      await client.connect(mortal(DELAY, 1000));
      await stage.restart();
      const listener = await listen(stage);
      const again = await stage.client(5);
      const { will: _, ...options } = mortal(DELAY, 1000);
      assert.is(brief(await again.connect(options)), 'connack 0 present');
      clock.advance(2 * DELAY * 1000);
      assert.equal(await listener.roundTrip(), []);
    },
    { clock },
  );
});

wills('a client that left with DISCONNECT has no will after a restart', () => {
  const clock = createTestClock();
  return withBroker(
    async stage => {
      const client = await stage.client(5);
      await client.connect(mortal(DELAY, 1000));
      await client.leave();
      await stage.restart();
      const listener = await listen(stage);
      clock.advance(2 * DELAY * 1000);
      assert.equal(await listener.roundTrip(), []);
    },
    { clock },
  );
});

wills('a killed hub publishes the will of a persistent session when it is back [MQTT-3.1.2-8]', async () => {
  const port = await freePort();
  const folder = folderWith({
    'hub.json': JSON.stringify({ name: 'hub', listeners: [{ mqtt: `127.0.0.1:${port}` }] }),
  });
  const address = `mqtt://127.0.0.1:${port}`;
  const first = await startHub(folder, 'hub.json', 'data');
  const client = await enter(address, {
    protocolVersion: 5,
    clientId: 'mortal',
    clean: false,
    properties: { sessionExpiryInterval: 1000 },
    will: { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: true },
  });
  client.on('error', () => {});
  // Behind it, so that the will is on disk.
  await client.subscribeAsync('other', { qos: 1 });
  await first.end('SIGKILL');
  const second = await startHub(folder, 'hub.json', 'data');
  const listener = await enter(address, {});
  const heard = new Promise<string>(resolve =>
    listener.once('message', (_topic, body) => resolve(body.toString())),
  );
  await listener.subscribeAsync('wills', { qos: 1 });
  assert.is(await heard, 'gone');
  client.end(true);
  listener.end(true);
  await second.end('SIGTERM');
  removeFolder(folder);
});

wills.run();
