import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { messageOf, to } from '../../harness/queue.ts';
import { createUpstreamHarness, numbers } from '../../harness/upstream.ts';
import type { Guest, Script } from '../server.ts';
import { friendly, startServer, welcome } from '../server.ts';

const exact = suite('upstream: exactly once');

/**
 * A server that keeps one session of QoS 2 over its connections, and takes each message in once. `cut` is
 * asked at each packet whether the connection ends there: before it is answered, and after what it says was
 * noted.
 */
function keeping(cut: (packet: string, guest: Guest) => boolean) {
  const received = new Set<number>();
  const taken: string[] = [];
  let known = false;
  const script: Script = (packet, guest) => {
    if (guest.socket.destroyed) return;
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === 'connect') {
      if (packet.clean) received.clear();
      welcome(guest, {}, known && packet.clean !== true);
      known = true;
      return;
    }
    if (packet.cmd === 'publish') {
      if (!received.has(messageId)) taken.push(packet.payload.toString());
      received.add(messageId);
    } else if (packet.cmd === 'pubrel') received.delete(messageId);
    if (cut(packet.cmd, guest)) guest.socket.destroy();
    else friendly(packet, guest, 0);
  };
  return {
    script,
    taken,
    forget: () => {
      received.clear();
      known = false;
    },
  };
}

exact(
  'cut before each PUBREC, and before each PUBCOMP, every message is taken in once, in order',
  async () => {
    for (const where of ['publish', 'pubrel']) {
      const stage = await createUpstreamHarness();
      let seen = 0;
      const { script, taken } = keeping(packet => packet === where && ++seen % 3 === 0);
      const server = await startServer(script);
      stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true, window: 4 });
      await stage.append(numbers(30));
      const isDone = (): boolean => stage.queue.store.names('upstream/released/').length === 0;
      await stage.until('all are taken in', () => stage.forwarder().status().delivered === 30, 20);
      await stage.until('all are released', isDone, 20);
      assert.equal(taken, numbers(30), where);
      assert.ok(server.guests.length > 5);
      await stage.finish();
      await server.close();
    }
  },
);

exact('its state outlives the hub: cut at every step, and started again on the same store', async () => {
  for (const where of ['publish', 'pubrel']) {
    const stage = await createUpstreamHarness();
    let cutting = true;
    const { script, taken } = keeping(packet => cutting && packet === where);
    const server = await startServer(script);
    const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
    stage.start(upstream);
    await stage.append(numbers(3));
    const isCut = (): boolean => stage.forwarder().status().lastError !== undefined;
    await stage.until('it is cut', isCut, 5);
    await stage.restart(upstream);
    cutting = false;
    const isDone = (): boolean =>
      stage.queue.store.stats().every(({ depth }) => depth === 0) &&
      stage.queue.store.names('upstream/released/').length === 0;
    await stage.until('all is done', () => taken.length === 3 && isDone(), 5);
    assert.equal(taken, numbers(3), where);
    const connects = server.guests.flatMap(({ packets }) =>
      packets.flatMap(packet => (packet.cmd === 'connect' ? [packet.clean] : [])),
    );
    assert.equal(connects, [true, false, false], where);
    await stage.finish();
    await server.close();
  }
});

exact('a session that the server has forgotten is forgotten here, and nothing is lost', async () => {
  const stage = await createUpstreamHarness();
  let cutting = true;
  const { script, taken, forget } = keeping(packet => cutting && packet === 'pubrel');
  const server = await startServer(script);
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await stage.append(numbers(2));
  await stage.until('it is cut', () => stage.forwarder().status().lastError !== undefined, 5);
  cutting = false;
  forget();
  await stage.append(['2']);
  await stage.until('all is there', () => stage.forwarder().status().delivered === 3, 5);
  await stage.until('nothing is left', () => stage.queue.store.names('upstream/released/').length === 0, 5);
  assert.equal(taken, numbers(3));
  await stage.finish();
  await server.close();
});

exact(
  'cut between its PUBREC and the disk: PUBREL goes out on the next connection, once it may',
  async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer((packet, guest, index) => {
      if (packet.cmd === 'connect') welcome(guest, {}, index > 0);
      else friendly(packet, guest, index);
      if (packet.cmd === 'publish') guest.socket.end();
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
    await stage.until('it is connected', () => stage.forwarder().status().state === 'connected');
    // The disk stands still from here on, but for what the clock lets happen.
    stage.queue.store.append({ ...messageOf('x'), qos: 1 }, [to('$upstream')], () => {});
    await stage.until('it is released', () => server.guests.at(-1)?.packets.at(-1)?.cmd === 'pubrel', 1);
    assert.ok(server.guests.length > 2);
    assert.equal(server.bodies(), ['x']);
    await stage.finish();
    await server.close();
  },
);

exact(
  'the connection that only wipes out an old session is not told, the one that carries messages is',
  async () => {
    const stage = await createUpstreamHarness();
    const { script } = keeping(() => false);
    const server = await startServer(script);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
    await stage.append(['x']);
    await stage.until('it is there', () => stage.forwarder().status().delivered === 1);
    assert.is(server.guests.length, 2);
    assert.is(stage.log.filter(line => line.startsWith('Connected to')).length, 1, stage.log.join());
    await stage.finish();
    await server.close();
  },
);

exact('where the server does not offer it, it is at least once, and said', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'connect') welcome(guest, { maximumQoS: 1 });
    else friendly(packet, guest, index);
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await stage.append(numbers(3));
  await stage.until('all are there', () => stage.forwarder().status().delivered === 3);
  assert.ok(stage.log.some(line => line.includes('does not support QoS 2')));
  await stage.finish();
  await server.close();
});

exact.run();
