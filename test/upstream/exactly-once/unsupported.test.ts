import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { UpstreamHarness } from '../../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../../harness/upstream.ts';
import type { Script, ServerConnection } from '../server.ts';
import { acceptAll, sendConnack, startServer } from '../server.ts';

const offering = suite('upstream: servers without QoS 2');

/** Bodies and QoS of the messages received on a connection. */
function published(connection: ServerConnection | undefined): [string, number][] {
  return (connection?.packets ?? []).flatMap((packet): [string, number][] =>
    packet.cmd === 'publish' ? [[packet.payload.toString(), packet.qos]] : [],
  );
}

function warnings({ log }: UpstreamHarness): number {
  return log.filter(line => line.includes('does not support QoS 2')).length;
}

/** Script of a server that stores its sessions and answers all packets but CONNECT by `answer`. */
function storingSessions(answer: Script): Script {
  return (packet, connection, index) => {
    if (packet.cmd === 'connect') sendConnack(connection, {}, packet.clean !== true);
    else if (!connection.socket.destroyed) answer(packet, connection, index);
  };
}

/** Script that answers a QoS 2 PUBLISH with PUBACK, as RabbitMQ does. */
const lowering: Script = (packet, connection, index) => {
  if (packet.cmd === 'publish') connection.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  else if (packet.cmd !== 'pubrel') acceptAll(packet, connection, index);
};

/** Script that closes the connection for each QoS 2 packet, as NATS does. */
function ending(end: (connection: ServerConnection) => void): Script {
  return (packet, connection, index) => {
    if ((packet.cmd === 'publish' && packet.qos === 2) || packet.cmd === 'pubrel') end(connection);
    else acceptAll(packet, connection, index);
  };
}

async function delivered(harness: UpstreamHarness, count: number): Promise<void> {
  await harness.until(`${count} are delivered`, () => harness.forwarder().status().delivered === count, 20);
}

offering('a server that answers a QoS 2 message with PUBACK receives later messages at QoS 1', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(storingSessions(lowering));
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await harness.append(numbers(20));
  await delivered(harness, 20);
  assert.equal(
    published(server.connections[1]),
    numbers(20).map((text, index) => [text, index === 0 ? 2 : 1]),
  );
  server.connections[1]?.socket.destroy();
  await harness.append(['20']);
  await delivered(harness, 21);
  assert.equal(published(server.connections[2]), [['20', 1]]);
  assert.is(warnings(harness), 1);
  await harness.finish();
  await server.close();
});

offering(
  'a server that closes connections because of QoS 2 receives all messages at QoS 1, and none is a dead letter',
  async () => {
    const endings: readonly (readonly [string, 4 | 5, number, (connection: ServerConnection) => void])[] = [
      ['without a word', 4, 3, connection => void connection.socket.end()],
      ['cutting it off', 4, 3, connection => void connection.socket.resetAndDestroy()],
      ['without a reason', 5, 3, connection => connection.send({ cmd: 'disconnect', reasonCode: 0x80 })],
      [
        'for a breach of the protocol',
        5,
        1,
        connection => connection.send({ cmd: 'disconnect', reasonCode: 0x82 }),
      ],
      ['as not offered', 5, 1, connection => connection.send({ cmd: 'disconnect', reasonCode: 0x9b })],
    ];
    for (const [how, version, links, end] of endings) {
      const harness = await createUpstreamHarness();
      const server = await startServer(storingSessions(ending(end)), 0, version);
      harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
      await harness.append(numbers(5));
      await delivered(harness, 5);
      const sent = server.connections.map(published).filter(({ length }) => length > 0);
      const first = Array.from({ length: links }, () => [['0', 2]]);
      assert.equal(sent, [...first, numbers(5).map(text => [text, 1])], how);
      assert.equal(harness.deadLetterReasons(), [], how);
      assert.is(warnings(harness), 1, how);
      await harness.finish();
      await server.close();
    }
  },
);

offering(
  'after a restart of the hub, one connection closed at a QoS 2 message causes the fallback to QoS 1',
  async () => {
    const harness = await createUpstreamHarness();
    let answer = ending(connection => void connection.socket.end());
    const server = await startServer(storingSessions((...all) => answer(...all)));
    const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
    harness.start(upstream);
    await harness.append(['0']);
    await delivered(harness, 1);
    for (const [text, qos] of [
      ['1', [2, 1]],
      ['2', [2]],
    ] as const) {
      const before = server.connections.length;
      await harness.restart(upstream);
      await harness.append([text]);
      await delivered(harness, 1);
      const sent = server.connections.slice(before).flatMap(published);
      assert.equal(
        sent,
        qos.map(one => [text, one]),
      );
      answer = acceptAll;
    }
    await harness.finish();
    await server.close();
  },
);

offering('a server that has completed a QoS 2 message receives QoS 2 after lost connections', async () => {
  const harness = await createUpstreamHarness();
  let cutting = false;
  const server = await startServer(
    storingSessions((packet, connection, index) => {
      if (cutting && packet.cmd === 'publish') connection.socket.destroy();
      else acceptAll(packet, connection, index);
    }),
  );
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
  harness.start(upstream);
  await harness.append(['0']);
  await delivered(harness, 1);
  cutting = true;
  await harness.restart(upstream);
  await harness.append(numbers(3));
  const isCutOften = (): boolean => server.connections.flatMap(published).length > 12;
  await harness.until('it is cut often', isCutOften, 100);
  cutting = false;
  await delivered(harness, 3);
  assert.ok(server.connections.flatMap(published).every(([, qos]) => qos === 2));
  assert.equal([warnings(harness), harness.deadLetterReasons()], [0, []]);
  await harness.finish();
  await server.close();
});

offering('a new server at the same address is tested for QoS 2 again', async () => {
  const harness = await createUpstreamHarness();
  let replaced = false;
  let lost = false;
  const server = await startServer((packet, connection, index) => {
    if (packet.cmd === 'connect') {
      sendConnack(connection, {}, packet.clean !== true && !lost);
      lost = false;
    } else if (replaced && packet.cmd === 'publish' && packet.qos === 2) connection.socket.end();
    else if (!connection.socket.writableEnded) acceptAll(packet, connection, index);
  });
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
  harness.start(upstream);
  await harness.append(['first']);
  await harness.until('it offers QoS 2', () => harness.forwarder().status().delivered === 1, 20);
  await harness.queue.commit();
  replaced = true;
  lost = true;
  const links = server.connections.length;
  server.connections.at(-1)?.socket.destroy();
  await harness.append(numbers(5));
  await harness.until('the new one has greeted', () => server.connections.length > links && !lost, 20);
  await harness.queue.commit();
  await harness.restart(upstream);
  await harness.until('all are taken', () => harness.forwarder().status().delivered === 5, 500);
  assert.equal(harness.deadLetterReasons(), []);
  await harness.finish();
  await server.close();
});

offering(
  'if a server closes its connections because of one message, the other messages are still sent at QoS 2',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer(
      storingSessions((packet, connection, index) => {
        if (packet.cmd === 'publish' && packet.payload.toString() === 'bad') connection.socket.end();
        else acceptAll(packet, connection, index);
      }),
      0,
      4,
    );
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
    await harness.append(['bad', ...numbers(3)]);
    await delivered(harness, 3);
    const qos = server.connections.flatMap(published).flatMap(([text, one]) => (text === '2' ? [one] : []));
    assert.equal(qos, [2]);
    assert.is(warnings(harness), 0);
    assert.equal(harness.deadLetterReasons(), [
      'the upstream closes the connection when it receives the message',
    ]);
    await harness.finish();
    await server.close();
  },
);

offering('support of QoS 2 is stored separately for each address', async () => {
  const harness = await createUpstreamHarness();
  let isAway = false;
  const exact = await startServer((packet, connection, index) => {
    if (isAway) connection.socket.destroy();
    else storingSessions(acceptAll)(packet, connection, index);
  });
  const other = await startServer(storingSessions(lowering));
  const urls = [exact, other].map(({ port }) => `mqtt://127.0.0.1:${port}`);
  harness.start({ urls, exactlyOnce: true });
  await harness.append(['0']);
  await delivered(harness, 1);
  isAway = true;
  exact.connections.at(-1)?.socket.destroy();
  await harness.append(['1', '2']);
  await delivered(harness, 3);
  isAway = false;
  other.connections.at(-1)?.socket.destroy();
  await harness.append(['3']);
  await delivered(harness, 4);
  assert.equal(exact.connections.flatMap(published), [
    ['0', 2],
    ['3', 2],
  ]);
  assert.equal(other.connections.flatMap(published), [
    ['1', 2],
    ['2', 1],
  ]);
  assert.is(warnings(harness), 1);
  await harness.finish();
  await exact.close();
  await other.close();
});

offering.run();
