import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectOptions } from '../harness/broker.ts';
import { brief, withBroker } from '../harness/broker.ts';
import { createTestClock } from '../harness/clock.ts';

const connection = suite('broker: connections');

/** First packets of a client that close its connection without an answer. */
const FAULTS: readonly (readonly [rule: string, bytes: Buffer])[] = [
  ['[MQTT-3.1.0-1] a PINGREQ before CONNECT', Buffer.from([0xc0, 0])],
  ['[MQTT-3.1.0-1] a PUBLISH before CONNECT', Buffer.from([0x30, 4, 0, 1, 0x61, 0x62])],
  ['[MQTT-2.2.2-2] a reserved packet type', Buffer.from([0x00, 0])],
  ['[MQTT-2.2.2-2] a CONNECT with reserved flags in its fixed header', Buffer.from([0x11, 0])],
  [
    '[MQTT-3.1.2-1] a CONNECT with a protocol name other than MQTT',
    Buffer.from('\x10\x0c\x00\x04HTTP\x04\x02\x00\x00\x00\x00', 'latin1'),
  ],
  [
    '[MQTT-3.1.2-3] a CONNECT with the reserved connect flag',
    Buffer.from('\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00', 'latin1'),
  ],
  ['a Remaining Length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x01])],
  ['a header that announces more than the maximum packet size', Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
  [
    '[MQTT-3.1.2-14] a will with QoS 3',
    Buffer.from('\x10\x12\x00\x04MQTT\x04\x1e\x00\x00\x00\x00\x00\x01w\x00\x01x', 'latin1'),
  ],
  [
    '[MQTT-3.1.2-13] a will QoS without a will',
    Buffer.from('\x10\x0c\x00\x04MQTT\x04\x0a\x00\x00\x00\x00', 'latin1'),
  ],
  [
    '[MQTT-3.1.2-22] a password without a user name',
    Buffer.from('\x10\x0f\x00\x04MQTT\x04\x42\x00\x00\x00\x00\x00\x01x', 'latin1'),
  ],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
];

for (const [rule, bytes] of FAULTS) {
  connection(`${rule} closes the connection and affects no other connection`, () =>
    withBroker(async broker => {
      const other = await broker.client();
      await other.connect({ clientId: 'other' });
      const client = await broker.client();
      client.write(bytes);
      assert.is(await client.next(), 'closed');
      other.send({ cmd: 'pingreq' });
      assert.is(brief(await other.next()), 'pingresp');
    }),
  );
}

connection('[MQTT-3.1.0-2] a second CONNECT closes the connection', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    assert.is(await client.connect({}), 'closed');
  }),
);

connection('[MQTT-3.1.2-2] a CONNECT with an unknown protocol version is answered with return code 1', () =>
  withBroker(async broker => {
    const client = await broker.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x06\x02\x00\x00\x00\x00', 'latin1'));
    assert.is(brief(await client.next()), 'connack 1');
    assert.is(await client.next(), 'closed');
  }),
);

connection(
  '[MQTT-3.1.3-8] a CONNECT without client identifier and clean session is answered with return code 2',
  () =>
    withBroker(async broker => {
      const client = await broker.client();
      client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00', 'latin1'));
      assert.is(brief(await client.next()), 'connack 2');
      assert.is(await client.next(), 'closed');
    }),
);

const WILL = { topic: 'a', payload: Buffer.from('x'), qos: 0, retain: false } as const;

/** Well-formed CONNECT packets that are refused, with the CONNACK. */
const REFUSED: readonly (readonly [rule: string, options: ConnectOptions, answer: string])[] = [
  [
    '[MQTT-3.1.3-9] a client identifier too long for a persistent session',
    { clientId: 'x'.repeat(1025), clean: false },
    'connack 2',
  ],
  [
    '[MQTT-3.1.3-9] a client identifier with a control character',
    { clientId: 'a\u0001b', clean: false },
    'connack 2',
  ],
  ['a will on an output of a module', { will: { ...WILL, topic: 'modules/m/outputs/o' } }, 'connack 5'],
  ['[MQTT-3.3.2-2] a will topic with a wildcard', { will: { ...WILL, topic: 'a/#' } }, 'connack 5'],
];

for (const [rule, options, answer] of REFUSED) {
  connection(`${rule} is refused with ${answer}`, () =>
    withBroker(async broker => {
      const client = await broker.client();
      assert.is(brief(await client.connect(options)), answer);
      assert.is(await client.next(), 'closed');
    }),
  );
}

connection('[MQTT-3.1.3-6] each client with an empty client identifier gets a generated identifier', () =>
  withBroker(async broker => {
    const clients = [await broker.client(), await broker.client()];
    for (const client of clients) {
      client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00', 'latin1'));
      assert.is(brief(await client.next()), 'connack 0');
    }
    for (const client of clients) assert.equal(await client.roundTrip(), []);
  }),
);

connection('[MQTT-3.1.4-5] packets that a client sends before the CONNACK arrives are processed', () =>
  withBroker(async broker => {
    const client = await broker.client();
    const subscribe = '\x82\x06\x00\x01\x00\x01a\x00';
    const connect = '\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c';
    client.write(Buffer.from(`${connect}${subscribe}\x30\x04\x00\x01ax`, 'latin1'));
    assert.equal(await client.roundTrip(), ['connack 0', 'suback 0', 'a x q0']);
  }),
);

connection('[MQTT-3.14.4-2] packets after DISCONNECT are ignored', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    client.write(Buffer.from('\xe0\x00\x30\x04\x00\x01ax', 'latin1'));
    assert.is(await client.next(), 'closed');
    assert.is(broker.hub().status().counts.broker.received, 0);
  }),
);

connection(
  '[MQTT-3.1.4-2] a second connection with the same client identifier closes the first connection',
  () =>
    withBroker(async broker => {
      const first = await broker.client();
      await first.connect({ clientId: 'same' });
      const second = await broker.client();
      assert.is(brief(await second.connect({ clientId: 'same' })), 'connack 0');
      assert.is(await first.next(), 'closed');
    }),
);

connection(
  '[MQTT-3.2.2-2] CONNACK has Session Present only if the persistent session of the client is stored',
  () =>
    withBroker(async broker => {
      const answers: string[] = [];
      for (const clean of [false, false, true, false]) {
        const client = await broker.client();
        answers.push(brief(await client.connect({ clientId: 'p', clean })));
        client.send({ cmd: 'disconnect' });
        assert.is(await client.next(), 'closed');
      }
      assert.equal(answers, ['connack 0', 'connack 0 present', 'connack 0', 'connack 0']);
    }),
);

connection(
  '[MQTT-3.1.2-24] a client that sends nothing is disconnected after one and a half keep-alives, not earlier',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const client = await broker.client();
        await client.connect({ keepalive: 4 });
        for (let n = 0; n < 3; n++) {
          clock.advance(5_900);
          client.send({ cmd: 'pingreq' });
          assert.is(brief(await client.next()), 'pingresp');
        }
        clock.advance(6_000);
        assert.is(await client.next(), 'closed');
      },
      { clock },
    );
  },
);

connection('[MQTT-3.1.2-10] a client with a keep-alive of 0 that sends nothing stays connected', async () => {
  const clock = createTestClock();
  await withBroker(
    async broker => {
      const client = await broker.client();
      await client.connect({ keepalive: 0 });
      clock.advance(24 * 3_600_000);
      assert.equal(await client.roundTrip(), []);
    },
    { clock },
  );
});

connection('a client that sends no complete CONNECT within ten seconds is disconnected', async () => {
  const clock = createTestClock();
  await withBroker(
    async broker => {
      const other = await broker.client();
      await other.connect({});
      const silent = await broker.client();
      const halting = await broker.client();
      halting.write(Buffer.from('\x10\x0c\x00\x04MQ', 'latin1'));
      other.send({ cmd: 'pingreq' });
      await other.next();
      clock.advance(10_000);
      assert.is(await silent.next(), 'closed');
      assert.is(await halting.next(), 'closed');
      assert.equal(await other.roundTrip(), []);
    },
    { clock },
  );
});

connection('an incomplete packet at the end of a connection is discarded, and the connection is closed', () =>
  withBroker(async broker => {
    const client = await broker.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQ', 'latin1'));
    client.socket.end();
    assert.is(await client.next(), 'closed');
    assert.is(broker.hub().status().counts.broker.received, 0);
  }),
);

connection.run();
