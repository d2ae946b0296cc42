import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnDurable } from '../../src/core/message.ts';
import { to } from '../harness/queue.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { ServerConnection } from './server.ts';
import { acceptAll, sendConnack, startServer } from './server.ts';

const down = suite('upstream: messages from upstream');

function publish(
  connection: ServerConnection | undefined,
  text: string,
  messageId: number,
  qos: 1 | 2 = 1,
  dup = false,
): void {
  connection?.send({
    cmd: 'publish',
    topic: 'commands/edge',
    payload: text,
    qos,
    dup,
    retain: false,
    messageId,
  });
}

/** Number of packets of a type that were received on a connection. */
function count(connection: ServerConnection | undefined, cmd: string): number {
  return (connection?.packets ?? []).filter(packet => packet.cmd === cmd).length;
}

down('a message from upstream is acknowledged only when it is durable, in the order of arrival', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll);
  const settles: OnDurable[] = [];
  harness.receive = (message, settle) => {
    harness.down.push(message);
    settles.push(settle);
  };
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
  await harness.until('it is subscribed', () => count(server.connections[1], 'subscribe') === 1);
  const connection = server.connections[1];
  for (const [index, text] of numbers(3).entries()) publish(connection, text, index + 1);
  await harness.until('they are here', () => harness.down.length === 3);
  const [message] = harness.down;
  assert.equal(message?.origin, { kind: 'upstream', upstream: 'upstream' });
  assert.is(message?.topic, 'commands/edge');
  settles[1]?.();
  for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
  assert.is(count(connection, 'puback'), 0);
  settles[0]?.();
  await harness.until('two are acknowledged', () => count(connection, 'puback') === 2);
  settles[2]?.(new Error('The store is full.'));
  await harness.until('it is offered again', () => harness.down.length === 4, 50);
  settles[3]?.();
  await harness.until('it is acknowledged', () => count(connection, 'puback') === 3);
  const ids = connection?.packets.flatMap(packet => (packet.cmd === 'puback' ? [packet.messageId] : []));
  assert.equal(ids, [1, 2, 3]);
  await harness.finish();
  await server.close();
});

down('the hub stops reading from upstream while too many messages wait for a commit', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll);
  const settles: OnDurable[] = [];
  harness.receive = (message, settle) => {
    harness.down.push(message);
    settles.push(settle);
  };
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
  await harness.until('it is subscribed', () => count(server.connections[1], 'subscribe') === 1);
  const connection = server.connections[1];
  const body = 'x'.repeat(20_000);
  for (let index = 1; index <= 400; index++) publish(connection, body, index);
  await harness.until('as many as it takes are here', () => harness.down.length >= 64);
  for (let turn = 0; turn < 200; turn++) await new Promise(done => setImmediate(done));
  assert.ok(harness.down.length < 100, String(harness.down.length));
  await harness.until('all come in the end', () => {
    for (const settle of settles.splice(0)) settle();
    return count(connection, 'puback') === 400;
  });
  await harness.finish();
  await server.close();
});

down('back-pressure of the store pauses reading from upstream without closing the connection', async () => {
  const harness = await createUpstreamHarness();
  const { store, clock } = harness.queue;
  const server = await startServer(acceptAll);
  let acceptedWhileHigh = 0;
  harness.receive = (message, settle) => {
    if (store.pressure.high()) acceptedWhileHigh++;
    harness.down.push(message);
    store.append(message, [to('in')], settle);
  };
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'], keepAlive: '2s' });
  await harness.until('it is subscribed', () => count(server.connections[1], 'subscribe') === 1);
  const connection = server.connections[1];
  const body = 'x'.repeat(50_000);
  let highs = 0;
  store.pressure.onHigh(() => highs++);
  const total = 300;
  for (let index = 0; index < total; index++)
    connection?.send({
      cmd: 'publish',
      topic: 'commands/edge',
      payload: body,
      qos: 0,
      dup: false,
      retain: false,
    });
  // The clock does not advance, so the store commits nothing.
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 100; turn++) await new Promise(done => setImmediate(done));
  };
  while (highs === 0) await turns();
  await turns();
  assert.ok(harness.down.length < total);
  const accepted = harness.down.length;
  const pings = count(connection, 'pingreq');
  // The clock advances in one step, so the store cannot commit and no PINGRESP can be read meanwhile.
  clock.advance(20_000);
  assert.is(harness.forwarder().status().state, 'connected');
  await harness.until('all are here', () => harness.down.length === total);
  assert.ok(accepted < total);
  // Messages of a completed read of the socket are still accepted.
  assert.ok(acceptedWhileHigh <= 2 * highs, `${acceptedWhileHigh} of ${highs}`);
  await harness.until('it was pinged meanwhile', () => count(connection, 'pingreq') >= pings + 10);
  assert.is(harness.forwarder().status().lastError, undefined);
  assert.is(server.connections.length, 2);
  await harness.until(
    'all are stored',
    () => store.stats().find(({ queue }) => queue === 'in')?.depth === total,
  );
  await harness.finish();
  await server.close();
});

down(
  'after a restart the hub sends SUBSCRIBE and UNSUBSCRIBE only for changed filters of "down"',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer((packet, connection, index) => {
      if (packet.cmd === 'connect') sendConnack(connection, {}, index > 0);
      else acceptAll(packet, connection, index);
    });
    const url = `mqtt://127.0.0.1:${server.port}`;
    harness.start({ url, down: ['a/#', 'b'] });
    const isKept =
      (...filters: readonly string[]) =>
      (): boolean =>
        harness.queue.store.get('upstream/filters')?.toString() === filters.join('\n');
    await harness.until('it is subscribed', isKept('a/#', 'b'));
    await harness.restart({ url, down: ['a/#', 'b'] });
    await harness.until('it is back', () => harness.forwarder().status().state === 'connected');
    await harness.restart({ url, down: ['b', 'c'] });
    await harness.until('it is changed', isKept('b', 'c'));
    const asked = server.connections.map(({ packets }) =>
      packets.flatMap(packet => {
        if (packet.cmd === 'subscribe') return packet.subscriptions.map(({ topic }) => topic);
        return packet.cmd === 'unsubscribe' ? packet.unsubscriptions.map(topic => `-${topic}`) : [];
      }),
    );
    assert.equal(asked, [[], ['a/#', 'b'], [], ['-a/#', 'c']]);
    await harness.finish();
    await server.close();
  },
);

down(
  'a message with a forbidden character is acknowledged and discarded, and later messages are received',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer(acceptAll);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
    await harness.until('it is subscribed', () => count(server.connections[1], 'subscribe') === 1);
    const connection = server.connections[1];
    const bad = {
      cmd: 'publish',
      topic: 'commands/\u0001',
      payload: 'x',
      dup: false,
      retain: false,
    } as const;
    connection?.send({ ...bad, qos: 0 });
    connection?.send({ ...bad, qos: 1, messageId: 1 });
    connection?.send({ ...bad, qos: 2, messageId: 2 });
    await harness.until('it is here', () => count(connection, 'pubrec') === 1);
    connection?.send({ cmd: 'pubrel', messageId: 2 });
    publish(connection, 'good', 3);
    await harness.until('all are acknowledged', () => count(connection, 'puback') === 2);
    await harness.until('it is released', () => count(connection, 'pubcomp') === 1);
    assert.equal(
      harness.down.map(({ body }) => body.toString()),
      ['good'],
    );
    await harness.finish();
    await server.close();
  },
);

down('a QoS 2 message from upstream is received once, also after a reconnect or restart', async () => {
  const harness = await createUpstreamHarness();
  let sessionPresent = false;
  const server = await startServer((packet, connection, index) => {
    if (packet.cmd === 'connect') sendConnack(connection, {}, sessionPresent);
    else acceptAll(packet, connection, index);
  });
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'], exactlyOnce: true };
  harness.start(upstream);
  await harness.until('it is subscribed', () => count(server.connections[1], 'subscribe') === 1);
  publish(server.connections[1], 'x', 7, 2);
  await harness.until('it is safe', () => count(server.connections[1], 'pubrec') === 1);
  sessionPresent = true;
  await harness.restart(upstream);
  await harness.until('it is back', () => harness.forwarder().status().state === 'connected');
  publish(server.connections[2], 'x', 7, 2, true);
  await harness.until('it is acknowledged', () => count(server.connections[2], 'pubrec') === 1);
  server.connections[2]?.send({ cmd: 'pubrel', messageId: 7 });
  await harness.until('it is done', () => count(server.connections[2], 'pubcomp') === 1);
  assert.is(harness.down.length, 1);
  publish(server.connections[2], 'y', 7, 2);
  await harness.until('the next is another', () => harness.down.length === 2);
  await harness.finish();
  await server.close();
});

down(
  'a QoS 2 message repeated before its commit is received once and acknowledged on the newest connection',
  async () => {
    const harness = await createUpstreamHarness();
    const settles: OnDurable[] = [];
    harness.receive = (message, settle) => {
      harness.down.push(message);
      settles.push(settle);
    };
    const server = await startServer((packet, connection, index) => {
      if (packet.cmd === 'connect') sendConnack(connection, {}, index > 0);
      else acceptAll(packet, connection, index);
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'], exactlyOnce: true });
    await harness.until('it is subscribed', () => count(server.connections[1], 'subscribe') === 1);
    publish(server.connections[1], 'x', 7, 2);
    await harness.until('it is on its way in', () => harness.down.length === 1);
    server.connections[1]?.socket.destroy();
    await harness.until('it is back', () => server.connections.length === 3, 10);
    await harness.until('it is connected', () => harness.forwarder().status().state === 'connected');
    publish(server.connections[2], 'x', 7, 2, true);
    for (let turn = 0; turn < 50; turn++) await new Promise(done => setImmediate(done));
    assert.is(count(server.connections[2], 'pubrec'), 0);
    settles[0]?.();
    await harness.until('it is acknowledged', () => count(server.connections[2], 'pubrec') === 1);
    assert.is(harness.down.length, 1);
    await harness.finish();
    await server.close();
  },
);

down('a filter of "down" that the upstream refuses is logged, and all others are subscribed', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer((packet, connection, index) => {
    if (packet.cmd === 'subscribe')
      connection.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [0x87, 1] });
    else acceptAll(packet, connection, index);
  });
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['secret', 'b'] });
  await harness.until('the hub logs it', () =>
    harness.log.some(line => line.includes('"secret": not authorized')),
  );
  await harness.until(
    'the other is kept',
    () => harness.queue.store.get('upstream/filters')?.toString() === 'b',
  );
  await harness.finish();
  await server.close();
});

down.run();
