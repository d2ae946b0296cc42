import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { createTestClock } from '../../harness/clock.ts';

const wills = suite('broker: wills');

const WILL = { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: false } as const;

/** Ends of a connection, with the expected publication of its will. */
const ENDS: readonly (readonly [how: string, end: (client: Client) => void, published: boolean])[] = [
  ['DISCONNECT', client => client.send({ cmd: 'disconnect' }), false],
  ['a reset of the connection', client => client.socket.resetAndDestroy(), true],
  ['a close without DISCONNECT', client => client.socket.end(), true],
  ['a packet that a client must not send', client => client.write(Buffer.from([0x20, 2, 0, 0])), true],
  ['a malformed packet', client => client.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff])), true],
  ['a close in the middle of a packet', client => client.socket.end(Buffer.from([0xe0])), true],
];

for (const [how, end, published] of ENDS) {
  wills(`[MQTT-3.1.2-8] [MQTT-3.1.2-10] the will is ${published ? '' : 'not '}published after ${how}`, () =>
    withBroker(async broker => {
      const listener = await broker.client();
      await listener.connect({ clientId: 'listener' });
      await listener.subscribe('wills', 1);
      const client = await broker.client();
      await client.connect({ clientId: 'with-will', will: WILL });
      end(client);
      assert.is(await client.next(), 'closed');
      if (published) assert.is(brief(await listener.next()), 'wills gone q1');
      else assert.equal(await listener.roundTrip(), []);
    }),
  );
}

wills('[MQTT-3.1.2-8] the will is published when the keep-alive of its client expires', async () => {
  const clock = createTestClock();
  await withBroker(
    async broker => {
      const listener = await broker.client();
      await listener.connect({ clientId: 'listener' });
      await listener.subscribe('wills', 1);
      const client = await broker.client();
      await client.connect({ keepalive: 10, will: WILL });
      clock.advance(15_000);
      assert.is(brief(await listener.next()), 'wills gone q1');
    },
    { clock },
  );
});

wills('a takeover of a session publishes the will of the previous connection once', () =>
  withBroker(async broker => {
    const listener = await broker.client();
    await listener.connect({ clientId: 'listener' });
    await listener.subscribe('wills', 1);
    const first = await broker.client();
    await first.connect({ clientId: 'same', will: WILL });
    const second = await broker.client();
    await second.connect({ clientId: 'same' });
    assert.is(await first.next(), 'closed');
    assert.is(brief(await listener.next()), 'wills gone q1');
    second.socket.destroy();
    await second.next();
    assert.equal(await listener.roundTrip(), []);
  }),
);

wills('a will at QoS 1 is stored for an offline persistent session', () =>
  withBroker(async broker => {
    const listener = await broker.client();
    await listener.connect({ clientId: 'listener', clean: false });
    await listener.subscribe('wills', 1);
    await listener.leave();
    const client = await broker.client();
    await client.connect({ clientId: 'with-will', will: WILL });
    client.socket.destroy();
    await client.next();
    await broker.restart();
    const again = await broker.client();
    assert.is(brief(await again.connect({ clientId: 'listener', clean: false })), 'connack 0 present');
    assert.is(brief(await again.next()), 'wills gone q1');
  }),
);

wills.run();
