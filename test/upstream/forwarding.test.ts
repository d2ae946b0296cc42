import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Guest, Script } from './server.ts';
import { friendly, startServer, welcome } from './server.ts';

const forwarding = suite('upstream: forwarding');

/** Published packets of a connection. */
function published(guest: Guest | undefined) {
  return (guest?.packets ?? []).flatMap(packet => (packet.cmd === 'publish' ? [packet] : []));
}

forwarding('all arrives in order, and leaves the queue by PUBACK alone', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await stage.append(numbers(200));
  await stage.until('all have arrived', () => server.bodies().length === 200);
  assert.equal(server.bodies(), numbers(200));
  await stage.until('all are acknowledged', () => stage.forwarder().status().delivered === 200);
  assert.is(stage.queue.store.stats()[0]?.depth, 0);
  const status = stage.forwarder().status();
  assert.is(status.state, 'connected');
  assert.is(status.version, 5);
  assert.ok(status.ratePerSecond > 1);
  await stage.finish();
  await server.close();
});

forwarding('no more than the window, nor than the server takes at once, is on its way', async () => {
  for (const [receiveMaximum, most] of [
    [undefined, 8],
    [3, 3],
  ] as const) {
    const stage = await createUpstreamHarness();
    const properties = receiveMaximum === undefined ? {} : { receiveMaximum };
    const server = await startServer((packet, guest) => {
      if (packet.cmd === 'connect') welcome(guest, properties);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 8 });
    await stage.append(numbers(20));
    await stage.until('the window is full', () => server.bodies().length === most);
    for (let turn = 0; turn < 50; turn++) await new Promise(done => setImmediate(done));
    assert.is(server.bodies().length, most);
    await stage.finish();
    await server.close();
  }
});

forwarding(
  'a full window is filled again once a quarter of it is answered, and what is not full at once',
  async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer((packet, guest) => {
      if (packet.cmd === 'connect') welcome(guest);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 8 });
    const answer = async (count: number, from: number): Promise<void> => {
      const [guest] = server.guests;
      for (const packet of published(guest).slice(from, from + count))
        guest?.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      await stage.until('that is known', () => stage.forwarder().status().delivered === from + count);
      for (let turn = 0; turn < 50; turn++) await new Promise(done => setImmediate(done));
    };
    await stage.append(numbers(10));
    await stage.until('the window is full', () => server.bodies().length === 8);
    await answer(1, 0);
    assert.is(server.bodies().length, 8);
    await answer(1, 1);
    await stage.until('the rest has come', () => server.bodies().length === 10);
    await answer(1, 2);
    await stage.append(['next']);
    await stage.until('there is room for it', () => server.bodies().length === 10);
    await answer(2, 3);
    await stage.until('it has come', () => server.bodies().length === 11);
    await answer(1, 5);
    await stage.append(['last']);
    await stage.until('it goes at once', () => server.bodies().length === 12);
    await stage.finish();
    await server.close();
  },
);

forwarding('after a reconnect what is unacknowledged goes first, in order, marked DUP', async () => {
  const stage = await createUpstreamHarness();
  // The first connection acknowledges two messages and is cut once it has eight.
  const script: Script = (packet, guest, index) => {
    if (index > 0 || packet.cmd !== 'publish') {
      friendly(packet, guest, index);
      return;
    }
    const count = published(guest).length;
    if (count <= 2) friendly(packet, guest, index);
    if (count === 10) guest.socket.destroy();
  };
  const server = await startServer(script);
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 8 });
  await stage.append(numbers(20));
  await stage.until('all are acknowledged', () => stage.forwarder().status().delivered === 20);
  const again = published(server.guests[1]);
  assert.equal(
    again.map(({ payload }) => payload.toString()),
    numbers(20).slice(2),
  );
  assert.equal(
    again.map(({ dup }) => dup),
    again.map((_, index) => index < 8),
  );
  await stage.finish();
  await server.close();
});

forwarding('retain, empty bodies, properties, content type and a counted-down expiry survive', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  const message = {
    retain: true,
    properties: ['b', '2', 'a', '1', 'b', '3'],
    contentType: 'application/json',
    payloadFormat: 1 as const,
    responseTopic: 'answers',
    correlation: Buffer.from([1, 2]),
    ttl: 60_000,
  };
  await stage.append([''], message);
  await stage.queue.pass(10_000);
  stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await stage.until('it has arrived', () => server.bodies().length === 1);
  const [packet] = published(server.guests[0]);
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
  await stage.finish();
  await server.close();
});

forwarding('a server of MQTT 3.1.1 is spoken to in its own version, however it says so', async () => {
  const says: Script = (packet, guest) => {
    if (packet.cmd !== 'connect') friendly(packet, guest, 0);
    else if (packet.protocolVersion === 4) welcome(guest);
    else guest.socket.end(Buffer.from([0x20, 2, 0, 1]));
  };
  const leaves: Script = (packet, guest) => {
    if (packet.cmd === 'connect' && packet.protocolVersion === 5) guest.socket.destroy();
    else friendly(packet, guest, 0);
  };
  for (const script of [says, leaves]) {
    const stage = await createUpstreamHarness();
    const server = await startServer(script, 0, 4);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await stage.append(['x']);
    await stage.until('it is acknowledged', () => stage.forwarder().status().delivered === 1);
    assert.is(stage.forwarder().status().version, 4);
    assert.is(server.guests.length, 2);
    await stage.finish();
    await server.close();
  }
});

forwarding('a topic by template', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, topic: 'plant/{device}/{module}-{output}' });
  await stage.append(['1'], { origin: { kind: 'module', module: 'm', output: 'o' } });
  await stage.append(['2']);
  await stage.until('both have arrived', () => server.bodies().length === 2);
  const topics = published(server.guests[0]).map(({ topic }) => topic);
  assert.equal(topics, ['plant/edge/m-o', 'edge/a/b']);
  await stage.finish();
  await server.close();
});

forwarding(
  'the profile of a parent hub tells where a message began, and what is left of its time',
  async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer(friendly);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, profile: 'skerry' });
    await stage.append(['1'], {
      origin: { kind: 'module', module: 'm', output: 'o' },
      properties: ['a', '1', '$childModule', 'forged'],
    });
    await stage.until('it has arrived', () => server.bodies().length === 1);
    const [packet] = published(server.guests[0]);
    assert.equal(
      { ...packet?.properties?.userProperties },
      { a: '1', $childDevice: 'edge', $childModule: 'm', $childOutput: 'o' },
    );
    await stage.finish();
    await server.close();
  },
);

forwarding('no profile lets up what a client says of hubs as if this hub had said it', async () => {
  for (const [profile, told] of [
    ['mqtt', {}],
    ['skerry', { $childDevice: 'edge', $childTopic: 'a/b' }],
  ] as const) {
    const stage = await createUpstreamHarness();
    const server = await startServer(friendly);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, profile });
    await stage.append(['1'], { properties: ['$childDevice', 'edge', '$childModule', 'gate', 'a', '1'] });
    await stage.append(['2'], { properties: ['$childModule', 'gate'] });
    await stage.append(['3'], { properties: ['a', '1'] });
    await stage.until('they have arrived', () => server.bodies().length === 3);
    assert.equal(
      published(server.guests[0]).map(({ properties }) => ({ ...properties?.userProperties })),
      [
        { a: '1', $childDevice: 'edge/edge', $childModule: 'gate' },
        { $childDevice: 'edge', $childTopic: 'a/b' },
        { a: '1', ...told },
      ],
      profile,
    );
    await stage.finish();
    await server.close();
  }
});

forwarding.run();
