import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestClock } from '../clock.ts';
import { brief, onStage } from './stage.ts';

const connection = suite('broker: connections');

/** What a client may not begin with, or may not go on with: the connection is closed, unanswered. */
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
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
];

for (const [rule, bytes] of FAULTS) {
  connection(`${rule}: closed, and others feel nothing`, () =>
    onStage(async stage => {
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
  onStage(async stage => {
    const client = await stage.client();
    await client.connect({});
    assert.is(await client.connect({}), 'closed');
  }),
);

connection('MQTT 5 is answered in its own words, with 0x84, and closed', () =>
  onStage(async stage => {
    const client = await stage.client();
    client.write(Buffer.from('\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00', 'latin1'));
    const answer = await new Promise<Buffer>(resolve => client.socket.once('data', resolve));
    assert.is(answer[0], 0x20);
    assert.is(answer[3], 0x84);
    while ((await client.next()) !== 'closed');
  }),
);

connection('[MQTT-3.1.3-8] no identifier and no clean session: return code 2', () =>
  onStage(async stage => {
    const client = await stage.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00', 'latin1'));
    assert.is(brief(await client.next()), 'connack 2');
    assert.is(await client.next(), 'closed');
  }),
);

connection('[MQTT-3.1.4-2] a second connection takes the session over', () =>
  onStage(async stage => {
    const first = await stage.client();
    await first.connect({ clientId: 'same' });
    const second = await stage.client();
    assert.is(brief(await second.connect({ clientId: 'same' })), 'connack 0');
    assert.is(await first.next(), 'closed');
  }),
);

connection('[MQTT-3.2.2-2] session present: only where a persistent one was kept', () =>
  onStage(async stage => {
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
  await onStage(
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

connection('no CONNECT in ten seconds: closed', async () => {
  const clock = createTestClock();
  await onStage(
    async stage => {
      const settled = await stage.client();
      await settled.connect({});
      const silent = await stage.client();
      settled.send({ cmd: 'pingreq' });
      await settled.next();
      clock.advance(10_000);
      assert.is(await silent.next(), 'closed');
      settled.send({ cmd: 'pingreq' });
      assert.is(brief(await settled.next()), 'pingresp');
    },
    { clock },
  );
});

connection('half a packet, then the end: nothing comes of it', () =>
  onStage(async stage => {
    const client = await stage.client();
    client.write(Buffer.from('\x10\x0c\x00\x04MQ', 'latin1'));
    client.socket.end();
    assert.is(await client.next(), 'closed');
    assert.is(stage.hub().status().counts.broker.received, 0);
  }),
);

connection('[MQTT-3.1.2-8] the will goes out when a connection dies, not after DISCONNECT', () =>
  onStage(async stage => {
    const listener = await stage.client();
    await listener.connect({ clientId: 'listener' });
    await listener.subscribe('wills', 1);
    const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 1, retain: false } as const;
    const polite = await stage.client();
    await polite.connect({ clientId: 'polite', will: { ...will, payload: Buffer.from('never') } });
    polite.send({ cmd: 'disconnect' });
    assert.is(await polite.next(), 'closed');
    const dying = await stage.client();
    await dying.connect({ clientId: 'dying', will });
    dying.socket.destroy();
    assert.is(brief(await listener.next()), 'wills gone q1');
  }),
);

connection.run();
