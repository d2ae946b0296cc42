import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { createTestClock } from '../../harness/clock.ts';

const wills = suite('broker: wills');

const WILL = { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: false } as const;

/** Ways in which a client disconnects, and whether its will is published. */
const ENDS: readonly (readonly [how: string, end: (client: Client) => void, published: boolean])[] = [
  ['DISCONNECT', client => client.send({ cmd: 'disconnect' }), false],
  ['a reset of its socket', client => client.socket.resetAndDestroy(), true],
  ['an end without DISCONNECT', client => client.socket.end(), true],
  ['a packet that it may not send', client => client.write(Buffer.from([0x20, 2, 0, 0])), true],
  ['bytes that are no packet', client => client.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff])), true],
  ['half a packet, then the end', client => client.socket.end(Buffer.from([0xe0])), true],
];

for (const [how, end, published] of ENDS) {
  wills(`[MQTT-3.1.2-8] [MQTT-3.1.2-10] after ${how} the will is ${published ? '' : 'not '}published`, () =>
    withBroker(async stage => {
      const listener = await stage.client();
      await listener.connect({ clientId: 'listener' });
      await listener.subscribe('wills', 1);
      const client = await stage.client();
      await client.connect({ clientId: 'mortal', will: WILL });
      end(client);
      assert.is(await client.next(), 'closed');
      if (published) assert.is(brief(await listener.next()), 'wills gone q1');
      else assert.equal(await listener.roundTrip(), []);
    }),
  );
}

wills('[MQTT-3.1.2-8] a keep-alive that runs out publishes the will', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const listener = await stage.client();
      await listener.connect({ clientId: 'listener' });
      await listener.subscribe('wills', 1);
      const client = await stage.client();
      await client.connect({ keepalive: 10, will: WILL });
      clock.advance(15_000);
      assert.is(brief(await listener.next()), 'wills gone q1');
    },
    { clock },
  );
});

wills('a session that is taken over publishes the will of the connection that lost it, once', () =>
  withBroker(async stage => {
    const listener = await stage.client();
    await listener.connect({ clientId: 'listener' });
    await listener.subscribe('wills', 1);
    const first = await stage.client();
    await first.connect({ clientId: 'same', will: WILL });
    const second = await stage.client();
    await second.connect({ clientId: 'same' });
    assert.is(await first.next(), 'closed');
    assert.is(brief(await listener.next()), 'wills gone q1');
    second.socket.destroy();
    await second.next();
    assert.equal(await listener.roundTrip(), []);
  }),
);

wills('a will at QoS 1 waits for a persistent session that is away', () =>
  withBroker(async stage => {
    const listener = await stage.client();
    await listener.connect({ clientId: 'listener', clean: false });
    await listener.subscribe('wills', 1);
    await listener.leave();
    const client = await stage.client();
    await client.connect({ clientId: 'mortal', will: WILL });
    client.socket.destroy();
    await client.next();
    await stage.restart();
    const again = await stage.client();
    assert.is(brief(await again.connect({ clientId: 'listener', clean: false })), 'connack 0 present');
    assert.is(brief(await again.next()), 'wills gone q1');
  }),
);

wills.run();
