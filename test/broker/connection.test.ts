import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectOptions } from '../harness/broker.ts';
import { brief, withBroker } from '../harness/broker.ts';
import { createTestClock } from '../harness/clock.ts';

const connection = suite('broker: connections');

/** Packets that a client must not send first or next: the connection is closed without an answer. */
const FAULTS: readonly (readonly [rule: string, bytes: Buffer])[] = [
  ['[MQTT-3.1.0-1] PINGREQ before CONNECT', Buffer.from([0xc0, 0])],
  ['[MQTT-3.1.0-1] PUBLISH before CONNECT', Buffer.from([0x30, 4, 0, 1, 0x61, 0x62])],
  ['[MQTT-2.2.2-2] a type that is reserved', Buffer.from([0x00, 0])],
  ['[MQTT-2.2.2-2] flags of CONNECT that must be 0', Buffer.from([0x11, 0])],
  [
    '[MQTT-3.1.2-1] a protocol name that is not MQTT',
    Buffer.from('\x10\x0c\x00\x04HTTP\x04\x02\x00\x00\x00\x00', 'latin1'),
  ],
  [
    '[MQTT-3.1.2-3] the reserved flag of CONNECT',
    Buffer.from('\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00', 'latin1'),
  ],
  ['a remaining length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x01])],
  ['a packet over the limit, by its header alone', Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
  [
    '[MQTT-3.1.2-14] a will with QoS 3',
    Buffer.from('\x10\x12\x00\x04MQTT\x04\x1e\x00\x00\x00\x00\x00\x01w\x00\x01x', 'latin1'),
  ],
  [
    '[MQTT-3.1.2-13] a QoS for no will',
    Buffer.from('\x10\x0c\x00\x04MQTT\x04\x0a\x00\x00\x00\x00', 'latin1'),
  ],
  [
    '[MQTT-3.1.2-22] a password without a user name',
    Buffer.from('\x10\x0f\x00\x04MQTT\x04\x42\x00\x00\x00\x00\x00\x01x', 'latin1'),
  ],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
];

for (const [rule, bytes] of FAULTS) {
  connection(`${rule}: closed, and others feel nothing`, () =>
    withBroker(async stage => {
      const good = await stage.client();
      await good.connect({ clientId: 'good' });
      const bad = await stage.client();
      bad.write(bytes);
      assert.is(await bad.next(), 'closed');
      good.send({ cmd: 'pingreq' });
      assert.is(brief(await good.next()), 'pingresp');
    }),
  );
}

connection('[MQTT-3.1.0-2] a second CONNECT closes the connection', () =>
  withBroker(async stage => {
    const client = await stage.client();
    await client.connect({});
    assert.is(await client.connect({}), 'closed');
  }),
);

connection('[MQTT-3.1.2-2] a version that there is not: return code 1', () =>
  withBroker(async stage => {
    const client = await stage.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x06\x02\x00\x00\x00\x00', 'latin1'));
    assert.is(brief(await client.next()), 'connack 1');
    assert.is(await client.next(), 'closed');
  }),
);

connection('[MQTT-3.1.3-8] no identifier and no clean session: return code 2', () =>
  withBroker(async stage => {
    const client = await stage.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00', 'latin1'));
    assert.is(brief(await client.next()), 'connack 2');
    assert.is(await client.next(), 'closed');
  }),
);

const WILL = { topic: 'a', payload: Buffer.from('x'), qos: 0, retain: false } as const;

/** A CONNECT that is well formed, and what it gets beside the end. */
const REFUSED: readonly (readonly [rule: string, options: ConnectOptions, answer: string])[] = [
  [
    '[MQTT-3.1.3-9] an identifier too long to keep',
    { clientId: 'x'.repeat(1025), clean: false },
    'connack 2',
  ],
  [
    '[MQTT-3.1.3-9] an identifier with a control character',
    { clientId: 'a\u0001b', clean: false },
    'connack 2',
  ],
  ['a will for a module', { will: { ...WILL, topic: 'modules/m/outputs/o' } }, 'connack 5'],
  ['[MQTT-3.3.2-2] a will with a wildcard', { will: { ...WILL, topic: 'a/#' } }, 'connack 5'],
];

for (const [rule, options, answer] of REFUSED) {
  connection(`${rule}: ${answer}`, () =>
    withBroker(async stage => {
      const client = await stage.client();
      assert.is(brief(await client.connect(options)), answer);
      assert.is(await client.next(), 'closed');
    }),
  );
}

connection('[MQTT-3.1.3-6] without an identifier each client gets one of its own', () =>
  withBroker(async stage => {
    const clients = [await stage.client(), await stage.client()];
    for (const client of clients) {
      client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00', 'latin1'));
      assert.is(brief(await client.next()), 'connack 0');
    }
    for (const client of clients) assert.equal(await client.roundTrip(), []);
  }),
);

connection('[MQTT-3.1.4-5] what a client sends before it has the CONNACK is taken in', () =>
  withBroker(async stage => {
    const client = await stage.client();
    const subscribe = '\x82\x06\x00\x01\x00\x01a\x00';
    const connect = '\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c';
    client.write(Buffer.from(`${connect}${subscribe}\x30\x04\x00\x01ax`, 'latin1'));
    assert.equal(await client.roundTrip(), ['connack 0', 'suback 0', 'a x q0']);
  }),
);

connection('[MQTT-3.14.4-2] what follows DISCONNECT is not taken in', () =>
  withBroker(async stage => {
    const client = await stage.client();
    await client.connect({});
    client.write(Buffer.from('\xe0\x00\x30\x04\x00\x01ax', 'latin1'));
    assert.is(await client.next(), 'closed');
    assert.is(stage.hub().status().counts.broker.received, 0);
  }),
);

connection('[MQTT-3.1.4-2] a second connection takes the session over', () =>
  withBroker(async stage => {
    const first = await stage.client();
    await first.connect({ clientId: 'same' });
    const second = await stage.client();
    assert.is(brief(await second.connect({ clientId: 'same' })), 'connack 0');
    assert.is(await first.next(), 'closed');
  }),
);

connection('[MQTT-3.2.2-2] session present: only where a persistent one was kept', () =>
  withBroker(async stage => {
    const answers: string[] = [];
    for (const clean of [false, false, true, false]) {
      const client = await stage.client();
      answers.push(brief(await client.connect({ clientId: 'p', clean })));
      client.send({ cmd: 'disconnect' });
      assert.is(await client.next(), 'closed');
    }
    assert.equal(answers, ['connack 0', 'connack 0 present', 'connack 0', 'connack 0']);
  }),
);

connection('[MQTT-3.1.2-24] silent for one and a half keep-alives: closed, not before', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const client = await stage.client();
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
});

connection('[MQTT-3.1.2-10] a keep-alive of 0 never ends', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const client = await stage.client();
      await client.connect({ keepalive: 0 });
      clock.advance(24 * 3_600_000);
      assert.equal(await client.roundTrip(), []);
    },
    { clock },
  );
});

connection('no CONNECT in ten seconds: closed', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const settled = await stage.client();
      await settled.connect({});
      const silent = await stage.client();
      const halting = await stage.client();
      halting.write(Buffer.from('\x10\x0c\x00\x04MQ', 'latin1'));
      settled.send({ cmd: 'pingreq' });
      await settled.next();
      clock.advance(10_000);
      assert.is(await silent.next(), 'closed');
      assert.is(await halting.next(), 'closed');
      assert.equal(await settled.roundTrip(), []);
    },
    { clock },
  );
});

connection('half a packet, then the end: nothing comes of it', () =>
  withBroker(async stage => {
    const client = await stage.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQ', 'latin1'));
    client.socket.end();
    assert.is(await client.next(), 'closed');
    assert.is(stage.hub().status().counts.broker.received, 0);
  }),
);

connection.run();
