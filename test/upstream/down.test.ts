import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnDurable } from '../../src/core/message.ts';
import { to } from '../harness/queue.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Guest } from './server.ts';
import { friendly, startServer, welcome } from './server.ts';

const down = suite('upstream: what comes down');

function publish(
  guest: Guest | undefined,
  text: string,
  messageId: number,
  qos: 1 | 2 = 1,
  dup = false,
): void {
  guest?.send({ cmd: 'publish', topic: 'commands/edge', payload: text, qos, dup, retain: false, messageId });
}

/** Packets of one kind that came on a connection. */
function count(guest: Guest | undefined, cmd: string): number {
  return (guest?.packets ?? []).filter(packet => packet.cmd === cmd).length;
}

down('it is acknowledged when it is safe here, in the order in which it came', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  const settles: OnDurable[] = [];
  stage.takeDown = (message, settle) => {
    stage.down.push(message);
    settles.push(settle);
  };
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
  await stage.until('it is subscribed', () => count(server.guests[1], 'subscribe') === 1);
  const guest = server.guests[1];
  for (const [index, text] of numbers(3).entries()) publish(guest, text, index + 1);
  await stage.until('they are here', () => stage.down.length === 3);
  const [message] = stage.down;
  assert.equal(message?.origin, { kind: 'upstream', upstream: 'upstream' });
  assert.is(message?.topic, 'commands/edge');
  settles[1]?.();
  for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
  assert.is(count(guest, 'puback'), 0);
  settles[0]?.();
  await stage.until('two are acknowledged', () => count(guest, 'puback') === 2);
  settles[2]?.(new Error('The store is full.'));
  await stage.until('it is offered again', () => stage.down.length === 4, 50);
  settles[3]?.();
  await stage.until('it is acknowledged', () => count(guest, 'puback') === 3);
  const ids = guest?.packets.flatMap(packet => (packet.cmd === 'puback' ? [packet.messageId] : []));
  assert.equal(ids, [1, 2, 3]);
  await stage.finish();
  await server.close();
});

down('more than the hub takes at once is not read', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  const settles: OnDurable[] = [];
  stage.takeDown = (message, settle) => {
    stage.down.push(message);
    settles.push(settle);
  };
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
  await stage.until('it is subscribed', () => count(server.guests[1], 'subscribe') === 1);
  const guest = server.guests[1];
  const body = 'x'.repeat(20_000);
  for (let index = 1; index <= 400; index++) publish(guest, body, index);
  await stage.until('as many as it takes are here', () => stage.down.length >= 64);
  for (let turn = 0; turn < 200; turn++) await new Promise(done => setImmediate(done));
  assert.ok(stage.down.length < 100, String(stage.down.length));
  await stage.until('all come in the end', () => {
    for (const settle of settles.splice(0)) settle();
    return count(guest, 'puback') === 400;
  });
  await stage.finish();
  await server.close();
});

down(
  'while the store is behind, the socket is not read, and the link outlives many keep-alives',
  async () => {
    const stage = await createUpstreamHarness();
    const { store, clock } = stage.queue;
    const server = await startServer(friendly);
    let takenWhileHigh = 0;
    stage.takeDown = (message, settle) => {
      if (store.pressure.high()) takenWhileHigh++;
      stage.down.push(message);
      store.append(message, [to('in')], settle);
    };
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'], keepAlive: '2s' });
    await stage.until('it is subscribed', () => count(server.guests[1], 'subscribe') === 1);
    const guest = server.guests[1];
    const body = 'x'.repeat(50_000);
    let highs = 0;
    store.pressure.onHigh(() => highs++);
    const total = 300;
    for (let index = 0; index < total; index++)
      guest?.send({
        cmd: 'publish',
        topic: 'commands/edge',
        payload: body,
        qos: 0,
        dup: false,
        retain: false,
      });
    // The clock stands still, so the store commits nothing.
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 100; turn++) await new Promise(done => setImmediate(done));
    };
    while (highs === 0) await turns();
    await turns();
    assert.ok(stage.down.length < total);
    const taken = stage.down.length;
    const pings = count(guest, 'pingreq');
    // At once: the store cannot commit meanwhile, and no PINGRESP can be read.
    clock.advance(20_000);
    assert.is(stage.forwarder().status().state, 'connected');
    await stage.until('all are here', () => stage.down.length === total);
    assert.ok(taken < total);
    // What one read of the socket brought is taken in.
    assert.ok(takenWhileHigh <= 2 * highs, `${takenWhileHigh} of ${highs}`);
    await stage.until('it was pinged meanwhile', () => count(guest, 'pingreq') >= pings + 10);
    assert.is(stage.forwarder().status().lastError, undefined);
    assert.is(server.guests.length, 2);
    await stage.until(
      'all are stored',
      () => store.stats().find(({ queue }) => queue === 'in')?.depth === total,
    );
    await stage.finish();
    await server.close();
  },
);

down(
  'what the session is subscribed to is kept: no second SUBSCRIBE, and what is not wanted any more ends',
  async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer((packet, guest, index) => {
      if (packet.cmd === 'connect') welcome(guest, {}, index > 0);
      else friendly(packet, guest, index);
    });
    const url = `mqtt://127.0.0.1:${server.port}`;
    stage.start({ url, down: ['a/#', 'b'] });
    const isKept =
      (...filters: readonly string[]) =>
      (): boolean =>
        stage.queue.store.get('upstream/filters')?.toString() === filters.join('\n');
    await stage.until('it is subscribed', isKept('a/#', 'b'));
    await stage.restart({ url, down: ['a/#', 'b'] });
    await stage.until('it is back', () => stage.forwarder().status().state === 'connected');
    await stage.restart({ url, down: ['b', 'c'] });
    await stage.until('it is changed', isKept('b', 'c'));
    const asked = server.guests.map(({ packets }) =>
      packets.flatMap(packet => {
        if (packet.cmd === 'subscribe') return packet.subscriptions.map(({ topic }) => topic);
        return packet.cmd === 'unsubscribe' ? packet.unsubscriptions.map(topic => `-${topic}`) : [];
      }),
    );
    assert.equal(asked, [[], ['a/#', 'b'], [], ['-a/#', 'c']]);
    await stage.finish();
    await server.close();
  },
);

down(
  'a message with a forbidden character is acknowledged, discarded and logged, and what follows comes in',
  async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer(friendly);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
    await stage.until('it is subscribed', () => count(server.guests[1], 'subscribe') === 1);
    const guest = server.guests[1];
    const bad = {
      cmd: 'publish',
      topic: 'commands/\u0001',
      payload: 'x',
      dup: false,
      retain: false,
    } as const;
    guest?.send({ ...bad, qos: 0 });
    guest?.send({ ...bad, qos: 1, messageId: 1 });
    guest?.send({ ...bad, qos: 2, messageId: 2 });
    await stage.until('it is here', () => count(guest, 'pubrec') === 1);
    guest?.send({ cmd: 'pubrel', messageId: 2 });
    publish(guest, 'good', 3);
    await stage.until('all are acknowledged', () => count(guest, 'puback') === 2);
    await stage.until('it is released', () => count(guest, 'pubcomp') === 1);
    assert.equal(
      stage.down.map(({ body }) => body.toString()),
      ['good'],
    );
    await stage.finish();
    await server.close();
  },
);

down('at QoS 2 each comes in once, over connections and restarts', async () => {
  const stage = await createUpstreamHarness();
  let sessionPresent = false;
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'connect') welcome(guest, {}, sessionPresent);
    else friendly(packet, guest, index);
  });
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'], exactlyOnce: true };
  stage.start(upstream);
  await stage.until('it is subscribed', () => count(server.guests[1], 'subscribe') === 1);
  publish(server.guests[1], 'x', 7, 2);
  await stage.until('it is safe', () => count(server.guests[1], 'pubrec') === 1);
  sessionPresent = true;
  await stage.restart(upstream);
  await stage.until('it is back', () => stage.forwarder().status().state === 'connected');
  publish(server.guests[2], 'x', 7, 2, true);
  await stage.until('it is known', () => count(server.guests[2], 'pubrec') === 1);
  server.guests[2]?.send({ cmd: 'pubrel', messageId: 7 });
  await stage.until('it is done', () => count(server.guests[2], 'pubcomp') === 1);
  assert.is(stage.down.length, 1);
  publish(server.guests[2], 'y', 7, 2);
  await stage.until('the next is another', () => stage.down.length === 2);
  await stage.finish();
  await server.close();
});

down(
  'at QoS 2 one that comes again before it is safe is taken in once, and acknowledged where it came last',
  async () => {
    const stage = await createUpstreamHarness();
    const settles: OnDurable[] = [];
    stage.takeDown = (message, settle) => {
      stage.down.push(message);
      settles.push(settle);
    };
    const server = await startServer((packet, guest, index) => {
      if (packet.cmd === 'connect') welcome(guest, {}, index > 0);
      else friendly(packet, guest, index);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'], exactlyOnce: true });
    await stage.until('it is subscribed', () => count(server.guests[1], 'subscribe') === 1);
    publish(server.guests[1], 'x', 7, 2);
    await stage.until('it is on its way in', () => stage.down.length === 1);
    server.guests[1]?.socket.destroy();
    await stage.until('it is back', () => server.guests.length === 3, 10);
    await stage.until('it is connected', () => stage.forwarder().status().state === 'connected');
    publish(server.guests[2], 'x', 7, 2, true);
    for (let turn = 0; turn < 50; turn++) await new Promise(done => setImmediate(done));
    assert.is(count(server.guests[2], 'pubrec'), 0);
    settles[0]?.();
    await stage.until('it is acknowledged', () => count(server.guests[2], 'pubrec') === 1);
    assert.is(stage.down.length, 1);
    await stage.finish();
    await server.close();
  },
);

down('a filter that the upstream refuses is said, the others are heard', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'subscribe')
      guest.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [0x87, 1] });
    else friendly(packet, guest, index);
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['secret', 'b'] });
  await stage.until('it is said', () => stage.log.some(line => line.includes('"secret": not authorized')));
  await stage.until('the other is kept', () => stage.queue.store.get('upstream/filters')?.toString() === 'b');
  await stage.finish();
  await server.close();
});

down.run();
