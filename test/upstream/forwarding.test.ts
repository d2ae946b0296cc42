import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Script, ServerConnection } from './server.ts';
import { acceptAll, sendConnack, startServer } from './server.ts';

const forwarding = suite('upstream: forwarding');

/** PUBLISH packets received on a connection. */
function published(connection: ServerConnection | undefined) {
  return (connection?.packets ?? []).flatMap(packet => (packet.cmd === 'publish' ? [packet] : []));
}

forwarding('messages arrive upstream in order and are removed from the queue only after PUBACK', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll);
  harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await harness.append(numbers(200));
  await harness.until('all have arrived', () => server.bodies().length === 200);
  assert.equal(server.bodies(), numbers(200));
  await harness.until('all are acknowledged', () => harness.forwarder().status().delivered === 200);
  assert.is(harness.queue.store.stats()[0]?.depth, 0);
  const status = harness.forwarder().status();
  assert.is(status.state, 'connected');
  assert.is(status.version, 5);
  assert.ok(status.ratePerSecond > 1);
  await harness.finish();
  await server.close();
});

forwarding(
  'unacknowledged messages never exceed the window or the Receive Maximum of the server',
  async () => {
    for (const [receiveMaximum, most] of [
      [undefined, 8],
      [3, 3],
    ] as const) {
      const harness = await createUpstreamHarness();
      const properties = receiveMaximum === undefined ? {} : { receiveMaximum };
      const server = await startServer((packet, connection) => {
        if (packet.cmd === 'connect') sendConnack(connection, properties);
      });
      harness.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 8 });
      await harness.append(numbers(20));
      await harness.until('the window is full', () => server.bodies().length === most);
      for (let turn = 0; turn < 50; turn++) await new Promise(done => setImmediate(done));
      assert.is(server.bodies().length, most);
      await harness.finish();
      await server.close();
    }
  },
);

forwarding('a full window is filled again after a quarter of its messages is acknowledged', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer((packet, connection) => {
    if (packet.cmd === 'connect') sendConnack(connection);
  });
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 8 });
  const answer = async (count: number, from: number): Promise<void> => {
    const [connection] = server.connections;
    for (const packet of published(connection).slice(from, from + count))
      connection?.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    await harness.until(
      'the answers are counted',
      () => harness.forwarder().status().delivered === from + count,
    );
    for (let turn = 0; turn < 50; turn++) await new Promise(done => setImmediate(done));
  };
  await harness.append(numbers(10));
  await harness.until('the window is full', () => server.bodies().length === 8);
  await answer(1, 0);
  assert.is(server.bodies().length, 8);
  await answer(1, 1);
  await harness.until('the rest has come', () => server.bodies().length === 10);
  await answer(1, 2);
  await harness.append(['next']);
  await harness.until('there is room for it', () => server.bodies().length === 10);
  await answer(2, 3);
  await harness.until('it has come', () => server.bodies().length === 11);
  await answer(1, 5);
  await harness.append(['last']);
  await harness.until('it goes at once', () => server.bodies().length === 12);
  await harness.finish();
  await server.close();
});

forwarding(
  'after a reconnect unacknowledged messages are sent in order with DUP before new messages',
  async () => {
    const harness = await createUpstreamHarness();
    // The first connection acknowledges two messages and is cut once it has eight.
    const script: Script = (packet, connection, index) => {
      if (index > 0 || packet.cmd !== 'publish') {
        acceptAll(packet, connection, index);
        return;
      }
      const count = published(connection).length;
      if (count <= 2) acceptAll(packet, connection, index);
      if (count === 10) connection.socket.destroy();
    };
    const server = await startServer(script);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 8 });
    await harness.append(numbers(20));
    await harness.until('all are acknowledged', () => harness.forwarder().status().delivered === 20);
    const again = published(server.connections[1]);
    assert.equal(
      again.map(({ payload }) => payload.toString()),
      numbers(20).slice(2),
    );
    assert.equal(
      again.map(({ dup }) => dup),
      again.map((_, index) => index < 8),
    );
    await harness.finish();
    await server.close();
  },
);

forwarding(
  'a message is forwarded with its RETAIN flag, properties, content type and remaining expiry',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer(acceptAll);
    const message = {
      retain: true,
      properties: ['b', '2', 'a', '1', 'b', '3'],
      contentType: 'application/json',
      payloadFormat: 1 as const,
      responseTopic: 'answers',
      correlation: Buffer.from([1, 2]),
      ttl: 60_000,
    };
    await harness.append([''], message);
    await harness.queue.pass(10_000);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await harness.until('it has arrived', () => server.bodies().length === 1);
    const [packet] = published(server.connections[0]);
    assert.is(packet?.topic, 'edge/a/b');
    assert.is(packet?.retain, true);
    assert.is(packet?.payload.length, 0);
    const properties = packet?.properties;
    assert.equal({ ...properties?.userProperties }, { b: ['2', '3'], a: '1' });
    assert.is(properties?.contentType, 'application/json');
    assert.is(properties?.payloadFormatIndicator, true);
    assert.is(properties?.responseTopic, 'answers');
    assert.equal(properties?.correlationData, Buffer.from([1, 2]));
    const left = properties?.messageExpiryInterval ?? 0;
    assert.ok(left >= 45 && left <= 50, String(left));
    await harness.finish();
    await server.close();
  },
);

forwarding('the hub uses MQTT 3.1.1 for a server that refuses MQTT 5 or closes the connection', async () => {
  const refuses: Script = (packet, connection) => {
    if (packet.cmd !== 'connect') acceptAll(packet, connection, 0);
    else if (packet.protocolVersion === 4) sendConnack(connection);
    else connection.socket.end(Buffer.from([0x20, 2, 0, 1]));
  };
  const closes: Script = (packet, connection) => {
    if (packet.cmd === 'connect' && packet.protocolVersion === 5) connection.socket.destroy();
    else acceptAll(packet, connection, 0);
  };
  for (const script of [refuses, closes]) {
    const harness = await createUpstreamHarness();
    const server = await startServer(script, 0, 4);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await harness.append(['x']);
    await harness.until('it is acknowledged', () => harness.forwarder().status().delivered === 1);
    assert.is(harness.forwarder().status().version, 4);
    assert.is(server.connections.length, 2);
    await harness.finish();
    await server.close();
  }
});

forwarding('a topic template inserts the device, the module and the output', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll);
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, topic: 'plant/{device}/{module}-{output}' });
  await harness.append(['1'], { origin: { kind: 'module', module: 'm', output: 'o' } });
  await harness.append(['2']);
  await harness.until('both have arrived', () => server.bodies().length === 2);
  const topics = published(server.connections[0]).map(({ topic }) => topic);
  assert.equal(topics, ['plant/edge/m-o', 'edge/a/b']);
  await harness.finish();
  await server.close();
});

forwarding(
  'the profile "skerry" adds the origin of a message and replaces forged origin properties',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer(acceptAll);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, profile: 'skerry' });
    await harness.append(['1'], {
      origin: { kind: 'module', module: 'm', output: 'o' },
      properties: ['a', '1', '$childModule', 'forged'],
    });
    await harness.until('it has arrived', () => server.bodies().length === 1);
    const [packet] = published(server.connections[0]);
    assert.equal(
      { ...packet?.properties?.userProperties },
      { a: '1', $childDevice: 'edge', $childModule: 'm', $childOutput: 'o' },
    );
    await harness.finish();
    await server.close();
  },
);

forwarding('no profile forwards origin properties of a client as if this hub had set them', async () => {
  for (const [profile, told] of [
    ['mqtt', {}],
    ['skerry', { $childDevice: 'edge', $childTopic: 'a/b' }],
  ] as const) {
    const harness = await createUpstreamHarness();
    const server = await startServer(acceptAll);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, profile });
    await harness.append(['1'], { properties: ['$childDevice', 'edge', '$childModule', 'gate', 'a', '1'] });
    await harness.append(['2'], { properties: ['$childModule', 'gate'] });
    await harness.append(['3'], { properties: ['a', '1'] });
    await harness.until('they have arrived', () => server.bodies().length === 3);
    assert.equal(
      published(server.connections[0]).map(({ properties }) => ({ ...properties?.userProperties })),
      [
        { a: '1', $childDevice: 'edge/edge', $childModule: 'gate' },
        { $childDevice: 'edge', $childTopic: 'a/b' },
        { a: '1', ...told },
      ],
      profile,
    );
    await harness.finish();
    await server.close();
  }
});

forwarding.run();
