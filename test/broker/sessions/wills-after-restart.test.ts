import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, startHub } from '../../harness/binary.ts';
import type { BrokerHarness, Client, ConnectOptions } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { enter } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const wills = suite('broker: wills after a restart');

const DELAY = 60;

function connectWithWill(delay: number, expiry: number): ConnectOptions {
  const properties = { willDelayInterval: delay, contentType: 'text/plain', userProperties: { k: 'v' } };
  const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: false, properties } as const;
  return { clientId: 'with-will', clean: false, will, properties: { sessionExpiryInterval: expiry } };
}

async function listen(broker: BrokerHarness): Promise<Client> {
  const listener = await broker.client(5);
  await listener.connect({ clientId: 'listener' });
  await listener.subscribe('wills', 0);
  return listener;
}

/** Ends of the connection before the restart, with the elapsed seconds of the will delay. */
const ENDS: readonly (readonly [how: string, end: (client: Client) => unknown, passed: number])[] = [
  ['at the stop of the hub', () => {}, 0],
  ['before the stop of the hub', client => client.send({ cmd: 'disconnect', reasonCode: 4 }), 10],
];

for (const [how, end, passed] of ENDS) {
  wills(
    `a delayed will of a connection that ended ${how} is published after the restart when the will delay is over`,
    () => {
      const clock = createTestClock();
      return withBroker(
        async broker => {
          const client = await broker.client(5);
          await client.connect(connectWithWill(DELAY, 1000));
          await end(client);
          if (passed > 0) assert.is(await client.next(), 'closed');
          clock.advance(passed * 1000);
          await broker.restart();
          const listener = await listen(broker);
          clock.advance((DELAY - passed - 1) * 1000);
          assert.equal(await listener.roundTrip(), []);
          clock.advance(2000);
          const will = await listener.next();
          assert.is(brief(will), 'wills gone q0');
          if (will === 'closed' || will.cmd !== 'publish') throw new Error(brief(will));
          assert.is(will.properties?.contentType, 'text/plain');
          assert.equal({ ...will.properties?.userProperties }, { k: 'v' });
          await broker.restart();
          const later = await listen(broker);
          clock.advance(DELAY * 1000);
          assert.equal(await later.roundTrip(), []);
        },
        { clock },
      );
    },
  );
}

wills(
  'a delayed will is published at the latest when its session expires, also after a restart of the hub',
  () => {
    const clock = createTestClock();
    return withBroker(
      async broker => {
        const client = await broker.client(5);
        await client.connect(connectWithWill(DELAY, 20));
        await broker.restart();
        const listener = await listen(broker);
        clock.advance(19_000);
        assert.equal(await listener.roundTrip(), []);
        clock.advance(2000);
        assert.is(brief(await listener.next()), 'wills gone q0');
      },
      { clock },
    );
  },
);

wills('a delayed will is cancelled by a connection that resumes the session after a restart', () => {
  const clock = createTestClock();
  return withBroker(
    async broker => {
      const client = await broker.client(5);
      await client.connect(connectWithWill(DELAY, 1000));
      await broker.restart();
      const listener = await listen(broker);
      const again = await broker.client(5);
      const { will: _, ...options } = connectWithWill(DELAY, 1000);
      assert.is(brief(await again.connect(options)), 'connack 0 present');
      clock.advance(2 * DELAY * 1000);
      assert.equal(await listener.roundTrip(), []);
    },
    { clock },
  );
});

wills('the will of a client that sent DISCONNECT is not published after a restart', () => {
  const clock = createTestClock();
  return withBroker(
    async broker => {
      const client = await broker.client(5);
      await client.connect(connectWithWill(DELAY, 1000));
      await client.leave();
      await broker.restart();
      const listener = await listen(broker);
      clock.advance(2 * DELAY * 1000);
      assert.equal(await listener.roundTrip(), []);
    },
    { clock },
  );
});

wills(
  'a hub that was killed publishes the will of a persistent session after its next start [MQTT-3.1.2-8]',
  async () => {
    const port = await freePort();
    const folder = folderWith({
      'hub.json': JSON.stringify({ name: 'hub', listeners: [{ mqtt: `127.0.0.1:${port}` }] }),
    });
    const address = `mqtt://127.0.0.1:${port}`;
    const first = await startHub(folder, 'hub.json', 'data');
    const client = await enter(address, {
      protocolVersion: 5,
      clientId: 'with-will',
      clean: false,
      properties: { sessionExpiryInterval: 1000 },
      will: { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: true },
    });
    client.on('error', () => {});
    // The SUBACK follows the commit of the will.
    await client.subscribeAsync('other', { qos: 1 });
    await first.end('SIGKILL');
    const second = await startHub(folder, 'hub.json', 'data');
    const listener = await enter(address, {});
    const received = new Promise<string>(resolve =>
      listener.once('message', (_topic, body) => resolve(body.toString())),
    );
    await listener.subscribeAsync('wills', { qos: 1 });
    assert.is(await received, 'gone');
    client.end(true);
    listener.end(true);
    await second.end('SIGTERM');
    removeFolder(folder);
  },
);

wills.run();
