import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { messageOf, to } from '../../harness/queue.ts';
import { createUpstreamHarness, numbers } from '../../harness/upstream.ts';
import type { Script, ServerConnection } from '../server.ts';
import { acceptAll, sendConnack, startServer } from '../server.ts';

const exact = suite('upstream: exactlyOnce');

/**
 * Server that stores one QoS 2 session across connections and accepts each message once. If `cut` returns
 * true for a packet, the server stores its effect and closes the connection without an answer.
 */
function serverWithSession(cut: (packet: string, connection: ServerConnection) => boolean) {
  const received = new Set<number>();
  const accepted: string[] = [];
  let known = false;
  const script: Script = (packet, connection) => {
    if (connection.socket.destroyed) return;
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === 'connect') {
      if (packet.clean) received.clear();
      sendConnack(connection, {}, known && packet.clean !== true);
      known = true;
      return;
    }
    if (packet.cmd === 'publish') {
      if (!received.has(messageId)) accepted.push(packet.payload.toString());
      received.add(messageId);
    } else if (packet.cmd === 'pubrel') received.delete(messageId);
    if (cut(packet.cmd, connection)) connection.socket.destroy();
    else acceptAll(packet, connection, 0);
  };
  return {
    script,
    accepted,
    forget: () => {
      received.clear();
      known = false;
    },
  };
}

exact('every message arrives once and in order when connections end before PUBREC or PUBCOMP', async () => {
  for (const where of ['publish', 'pubrel']) {
    const harness = await createUpstreamHarness();
    let seen = 0;
    const { script, accepted } = serverWithSession(packet => packet === where && ++seen % 3 === 0);
    const server = await startServer(script);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true, window: 4 });
    await harness.append(numbers(30));
    const isDone = (): boolean => harness.queue.store.names('upstream/released/').length === 0;
    await harness.until('all are taken in', () => harness.forwarder().status().delivered === 30, 20);
    await harness.until('all are released', isDone, 20);
    assert.equal(accepted, numbers(30), where);
    assert.ok(server.connections.length > 5);
    await harness.finish();
    await server.close();
  }
});

exact('an exactlyOnce message arrives once after a lost PUBREC or PUBCOMP and a restart', async () => {
  for (const where of ['publish', 'pubrel']) {
    const harness = await createUpstreamHarness();
    let cutting = true;
    const { script, accepted } = serverWithSession(packet => cutting && packet === where);
    const server = await startServer(script);
    const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
    harness.start(upstream);
    await harness.append(numbers(3));
    const isCut = (): boolean => harness.forwarder().status().lastError !== undefined;
    await harness.until('it is cut', isCut, 5);
    await harness.restart(upstream);
    cutting = false;
    const isDone = (): boolean =>
      harness.queue.store.stats().every(({ depth }) => depth === 0) &&
      harness.queue.store.names('upstream/released/').length === 0;
    await harness.until('all is done', () => accepted.length === 3 && isDone(), 5);
    assert.equal(accepted, numbers(3), where);
    const connects = server.connections.flatMap(({ packets }) =>
      packets.flatMap(packet => (packet.cmd === 'connect' ? [packet.clean] : [])),
    );
    assert.equal(connects, [true, false, false], where);
    await harness.finish();
    await server.close();
  }
});

exact(
  'a hub whose session the server has lost discards its own session state and loses no message',
  async () => {
    const harness = await createUpstreamHarness();
    let cutting = true;
    const { script, accepted, forget } = serverWithSession(packet => cutting && packet === 'pubrel');
    const server = await startServer(script);
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
    await harness.append(numbers(2));
    await harness.until('it is cut', () => harness.forwarder().status().lastError !== undefined, 5);
    cutting = false;
    forget();
    await harness.append(['2']);
    await harness.until('all is there', () => harness.forwarder().status().delivered === 3, 5);
    await harness.until(
      'nothing is left',
      () => harness.queue.store.names('upstream/released/').length === 0,
      5,
    );
    assert.equal(accepted, numbers(3));
    await harness.finish();
    await server.close();
  },
);

exact(
  'PUBREL is sent on the next connection if a connection ends between PUBREC and the commit',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer((packet, connection, index) => {
      if (packet.cmd === 'connect') sendConnack(connection, {}, index > 0);
      else acceptAll(packet, connection, index);
      if (packet.cmd === 'publish') connection.socket.end();
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
    await harness.until('it is connected', () => harness.forwarder().status().state === 'connected');
    // From here on the store commits only when the clock advances.
    harness.queue.store.append({ ...messageOf('x'), qos: 1 }, [to('$upstream')], () => {});
    await harness.until(
      'it is released',
      () => server.connections.at(-1)?.packets.at(-1)?.cmd === 'pubrel',
      1,
    );
    assert.ok(server.connections.length > 2);
    assert.equal(server.bodies(), ['x']);
    await harness.finish();
    await server.close();
  },
);

exact('a connection that only clears an old session on the server is not logged', async () => {
  const harness = await createUpstreamHarness();
  const { script } = serverWithSession(() => false);
  const server = await startServer(script);
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await harness.append(['x']);
  await harness.until('it is there', () => harness.forwarder().status().delivered === 1);
  assert.is(server.connections.length, 2);
  assert.is(harness.log.filter(line => line.startsWith('Connected to')).length, 1, harness.log.join());
  await harness.finish();
  await server.close();
});

exact('a server with a Maximum QoS of 1 receives messages at QoS 1, and a warning is logged', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer((packet, connection, index) => {
    if (packet.cmd === 'connect') sendConnack(connection, { maximumQoS: 1 });
    else acceptAll(packet, connection, index);
  });
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await harness.append(numbers(3));
  await harness.until('all are there', () => harness.forwarder().status().delivered === 3);
  assert.ok(harness.log.some(line => line.includes('does not support QoS 2')));
  await harness.finish();
  await server.close();
});

exact.run();
