import { once } from 'node:events';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECT_TIMEOUT_MS, MAX_CONNECT_BYTES, MAX_PENDING_PUBLISHES } from '../../../src/broker/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { ended } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const hostile = suite('broker: hostile clients');

/** Returns the bytes of a QoS 2 PUBLISH on topic `x`, with DUP if `dup`. */
function publishBytes(messageId: number, dup: boolean): Buffer {
  return Buffer.from([dup ? 0x3c : 0x34, 6, 0, 1, 0x78, messageId >> 8, messageId & 0xff, 0x79]);
}

/** Creates a persistent session that is subscribed to `x` and offline, so that messages on `x` are stored. */
async function createOfflineReader(broker: BrokerHarness): Promise<void> {
  const reader = await broker.client();
  await reader.connect({ clientId: 'reader', clean: false });
  await reader.subscribe('x', 1);
  await reader.leave();
}

hostile('a QoS 2 PUBLISH repeated 100,000 times is stored once', () =>
  withBroker(async broker => {
    await createOfflineReader(broker);
    const client = await broker.client();
    await client.connect({ clientId: 'repeats' });
    client.write(Buffer.concat(Array.from({ length: 100_000 }, () => publishBytes(7, true))));
    assert.is(brief(await client.next()), 'pubrec');
    const [queue] = broker.hub().status().queues;
    assert.is(queue?.depth, 1);
    client.send({ cmd: 'pubrel', messageId: 7 });
    // Repeats that arrive after the commit are answered too.
    let answer = await client.next();
    while (brief(answer) === 'pubrec') answer = await client.next();
    assert.is(brief(answer), 'pubcomp');
    const other = await broker.client();
    assert.is(brief(await other.connect({ clientId: 'other' })), 'connack 0');
  }),
);

hostile(
  'a QoS 2 PUBLISH repeated on a new connection is answered with PUBREC on this connection after the commit',
  () =>
    withBroker(async broker => {
      await createOfflineReader(broker);
      const first = await broker.client();
      await first.connect({ clientId: 'again', clean: false });
      first.write(publishBytes(7, false));
      const second = await broker.client();
      await second.connect({ clientId: 'again', clean: false });
      second.write(publishBytes(7, true));
      assert.is(brief(await second.next()), 'pubrec');
      assert.is(broker.hub().status().queues[0]?.depth, 1);
    }),
);

hostile(
  'an MQTT 3.1.1 client that sends no PUBREL is disconnected after MAX_PENDING_PUBLISHES messages at QoS 2',
  () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({ clientId: 'hoards', clean: false });
      const all = Array.from({ length: 65_535 }, (_, index) => publishBytes(index + 1, false));
      client.write(Buffer.concat(all));
      let answers = 0;
      while ((await client.next()) !== 'closed') answers++;
      assert.ok(answers <= MAX_PENDING_PUBLISHES, `${answers} answers`);
      const other = await broker.client();
      await other.connect({ clientId: 'other' });
      assert.equal(await other.roundTrip(), []);
      await broker.restart();
      const again = await broker.client();
      assert.is(brief(await again.connect({ clientId: 'hoards', clean: false })), 'connack 0 present');
      again.write(publishBytes(MAX_PENDING_PUBLISHES, true));
      assert.is(brief(await again.next()), 'pubrec');
      again.send({ cmd: 'pubrel', messageId: 1 });
      assert.is(brief(await again.next()), 'pubcomp');
      again.write(publishBytes(1, false));
      assert.is(brief(await again.next()), 'pubrec');
    }),
);

hostile(
  'the hub stops reading from a client that reads no answers, so that the memory of the hub stays bounded',
  () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({ clientId: 'deaf' });
      client.socket.pause();
      const pings = Buffer.alloc(1 << 20, Buffer.from([0xc0, 0]));
      for (let n = 0; n < 64; n++) client.write(pings);
      const other = await broker.client();
      await other.connect({ clientId: 'other' });
      for (let n = 0; n < 20; n++) assert.equal(await other.roundTrip(), []);
      assert.ok(client.socket.writableLength > 32 << 20, `${client.socket.writableLength} bytes wait`);
      client.socket.destroy();
    }),
);

hostile('a SUBSCRIBE that repeats one filter 100,000 times delivers each retained message once', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({ clientId: 'greedy' });
    client.send({ cmd: 'publish', topic: 'kept', payload: 'x', qos: 0, dup: false, retain: true });
    const subscriptions = Array.from({ length: 100_000 }, () => ({ topic: '#', qos: 0 as const }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const received = await client.roundTrip();
    assert.is(received.filter(text => text.startsWith('kept')).length, 1);
  }),
);

hostile('a CONNECT whose Remaining Length exceeds MAX_CONNECT_BYTES is refused after its fixed header', () =>
  withBroker(async broker => {
    const socket = connect(broker.port(), '127.0.0.1');
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0x3f, 0, 4]));
    await ended(socket);
    assert.ok(broker.log.some(line => line.includes(`larger than ${MAX_CONNECT_BYTES} bytes`)));
  }),
);

hostile(
  'a connection without a complete CONNECT is closed after the timeout, and other clients stay connected',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const silent = connect(broker.port(), '127.0.0.1');
        await once(silent, 'connect');
        const half = connect(broker.port(), '127.0.0.1');
        half.write(Buffer.from([0x10, 0x20, 0, 4]));
        const client = await broker.client();
        await client.connect({ clientId: 'c' });
        const closed = Promise.all([ended(silent), ended(half)]);
        clock.advance(CONNECT_TIMEOUT_MS);
        await closed;
        assert.equal(await client.roundTrip(), []);
      },
      { clock },
    );
  },
);

hostile.run();
