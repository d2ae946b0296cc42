import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ATTEMPTS } from '../../src/queue/limits.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import type { UpstreamHarness } from '../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Script, Server } from './server.ts';
import { acceptAll, sendConnack, startServer } from './server.ts';

const refusals = suite('upstream: refused messages');

/** Forwards `texts` to a scripted server until `delivered` of the messages are acknowledged. */
async function sent(
  script: Script,
  texts: readonly string[],
  delivered: number,
  version: 4 | 5 = 5,
): Promise<{
  readonly harness: UpstreamHarness;
  readonly server: Server;
  readonly finish: () => Promise<void>;
}> {
  const harness = await createUpstreamHarness();
  const server = await startServer(script, 0, version);
  const finish = async (): Promise<void> => {
    await harness.finish();
    await server.close();
  };
  harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await harness.append(texts);
  const isThere = (): boolean => harness.forwarder().status().delivered === delivered;
  await harness.until(`${delivered} are acknowledged`, isThere, 20).catch(async thrown => {
    await finish();
    throw thrown;
  });
  return { harness, server, finish };
}

/** Script that answers the message `poison` with a reason code and accepts all other packets. */
function refusing(poison: string, reasonCode: number): Script {
  return (packet, connection, index) => {
    if (packet.cmd === 'publish' && packet.payload.toString() === poison)
      connection.send({
        cmd: packet.qos === 2 ? 'pubrec' : 'puback',
        messageId: packet.messageId ?? 0,
        reasonCode,
      });
    else acceptAll(packet, connection, index);
  };
}

/** Script that closes a connection with the message `poison` and accepts all other packets. */
function closingAt(poison: string): Script {
  return (packet, connection, index) => {
    if (packet.cmd === 'publish' && packet.payload.toString() === poison) connection.socket.end();
    else if (!connection.socket.writableEnded) acceptAll(packet, connection, index);
  };
}

refusals(
  'a message that the upstream permanently refuses becomes a dead letter and blocks no other message',
  async () => {
    for (const [reasonCode, reason] of [
      [0x87, 'the upstream refused the message: not authorized'],
      [0x90, 'the upstream refused the message: topic name not allowed'],
      [0x99, 'the upstream refused the message: payload format invalid'],
    ] as const) {
      const { harness, server, finish } = await sent(refusing('2', reasonCode), numbers(5), 4);
      assert.equal(server.bodies(), numbers(5));
      assert.equal(harness.deadLetterReasons(), [reason]);
      assert.is(harness.forwarder().status().lastRefusal, reason);
      await finish();
    }
  },
);

refusals('a message that the server refuses with 0x97 (quota exceeded) is sent again later', async () => {
  let full = true;
  const { harness, server, finish } = await sent(
    (packet, connection, index) => {
      if (packet.cmd !== 'publish' || !full) acceptAll(packet, connection, index);
      else connection.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x97 });
      if (packet.cmd === 'publish' && packet.payload.toString() === '4') full = false;
    },
    numbers(5),
    5,
  );
  assert.equal(server.bodies(), [...numbers(5), ...numbers(5)]);
  assert.equal(harness.deadLetterReasons(), []);
  assert.is(server.connections.length, 1);
  await finish();
});

refusals(
  'a message that the server answers with an error again and again becomes a dead letter',
  async () => {
    const { harness, server, finish } = await sent(refusing('0', 0x83), numbers(2), 1);
    await harness.until('it is given up', () => harness.deadLetterReasons().length === 1, 100);
    assert.match(harness.deadLetterReasons()[0] ?? '', /implementation specific error \(after 16 attempts\)/);
    assert.is(server.bodies().filter(body => body === '0').length, MAX_ATTEMPTS);
    await finish();
  },
);

refusals(
  'a PUBACK with an unlisted reason code is a success below 0x80 and a refusal from 0x80',
  async () => {
    for (const [reasonCode, delivered, letters] of [
      [0x01, 3, 0],
      [0x7f, 3, 0],
      [0x95, 2, 1],
      [0xee, 2, 0],
    ] as const) {
      const { harness, server, finish } = await sent(refusing('1', reasonCode), numbers(3), delivered);
      assert.is(server.connections.length, 1, String(reasonCode));
      assert.is(harness.deadLetterReasons().length, letters, String(reasonCode));
      await finish();
    }
  },
);

refusals(
  'a message above the Maximum Packet Size of the server becomes a dead letter without being sent',
  async () => {
    const { harness, server, finish } = await sent(
      (packet, connection, index) => {
        if (packet.cmd === 'connect') sendConnack(connection, { maximumPacketSize: 200 });
        else acceptAll(packet, connection, index);
      },
      ['a', 'x'.repeat(200), 'b'],
      2,
    );
    assert.equal(server.bodies(), ['a', 'b']);
    assert.equal(harness.deadLetterReasons(), ['it is larger than the upstream server accepts']);
    await finish();
  },
);

refusals('a message that makes the server close every connection becomes a dead letter', async () => {
  const endings: readonly (readonly [string, 4 | 5, Script])[] = [
    [
      'says that it is too large',
      5,
      (_, connection) => connection.send({ cmd: 'disconnect', reasonCode: 0x95 }),
    ],
    ['says nothing', 4, (_, connection) => void connection.socket.end()],
  ];
  for (const [how, version, end] of endings) {
    const { harness, server, finish } = await sent(
      (packet, connection, index) => {
        const over = connection.packets.some(one => one.cmd === 'publish' && one.payload.toString() === '3');
        if (packet.cmd === 'connect') sendConnack(connection);
        else if (!over) acceptAll(packet, connection, index);
        else if (packet.cmd === 'publish' && packet.payload.toString() === '3')
          end(packet, connection, index);
      },
      numbers(6),
      5,
      version,
    );
    assert.match(
      harness.deadLetterReasons().join(),
      /^the upstream closes the connection when it receives the message/,
      how,
    );
    const first = [...new Set(server.bodies())];
    assert.equal(first, numbers(6), how);
    await finish();
  }
});

refusals('a poison message that blocks other messages becomes a dead letter within two minutes', async () => {
  const { harness, server, finish } = await sent(closingAt('3'), numbers(6), 5, 4);
  assert.ok(harness.queue.clock.monotonic() < 120_000, String(harness.queue.clock.monotonic()));
  assert.is(harness.deadLetterReasons().length, 1);
  assert.ok(server.connections.length < 12, String(server.connections.length));
  await finish();
});

refusals(
  'two consecutive poison messages become dead letters, and all other messages are delivered',
  async () => {
    const texts = ['0', 'bad', 'bad', ...numbers(5)];
    const { harness, server, finish } = await sent(closingAt('bad'), texts, 6, 4);
    await harness.until('both are found', () => harness.deadLetterReasons().length === 2, 100);
    assert.equal([...new Set(server.bodies())], ['0', 'bad', '1', '2', '3', '4']);
    await finish();
  },
);

refusals(
  'no message becomes a dead letter if the server closes every connection, whatever message it receives',
  async () => {
    const { harness, finish } = await sent(
      (packet, connection, index) => {
        // With the reconnect delays these connections take a quarter of an hour.
        if (index < 28 && packet.cmd === 'publish') connection.socket.end();
        else if (!connection.socket.writableEnded) acceptAll(packet, connection, index);
      },
      numbers(30),
      30,
      4,
    );
    assert.equal(harness.deadLetterReasons(), []);
    assert.ok(harness.queue.clock.monotonic() > 600_000);
    await finish();
  },
);

refusals(
  'no message becomes a dead letter while two hubs with the same client identifier disconnect each other',
  async () => {
    const { harness, finish } = await sent(
      (packet, connection, index) => {
        if (index < 28 && packet.cmd === 'publish') connection.send({ cmd: 'disconnect', reasonCode: 0x8e });
        else if (index >= 28 || packet.cmd === 'connect') acceptAll(packet, connection, index);
      },
      ['0'],
      1,
    );
    assert.equal(harness.deadLetterReasons(), []);
    await finish();
  },
);

refusals(
  'no message becomes a dead letter if the network cuts half of the connections before an answer',
  async () => {
    const dice = seededRandom(8);
    const { harness, server, finish } = await sent(
      (packet, connection, index) => {
        if (connection.socket.destroyed) return;
        if (packet.cmd === 'publish' && dice.oneIn(2)) connection.socket.destroy();
        else acceptAll(packet, connection, index);
      },
      numbers(100),
      100,
      4,
    );
    assert.ok(server.connections.length > 50);
    assert.equal(harness.deadLetterReasons(), []);
    await finish();
  },
);

refusals('a server that announces a Maximum QoS of 0 in CONNACK receives no message', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer((packet, connection) => {
    if (packet.cmd === 'connect') sendConnack(connection, { maximumQoS: 0 });
  });
  harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await harness.append(['x']);
  await harness.until('it says so', () => harness.forwarder().status().lastError !== undefined);
  assert.match(harness.forwarder().status().lastError ?? '', /supports QoS 0 only/);
  assert.equal(server.bodies(), []);
  await harness.finish();
  await server.close();
});

refusals.run();
