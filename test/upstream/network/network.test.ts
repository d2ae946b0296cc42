import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../harness/binary.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';
import { acceptAll, startServer } from '../server.ts';

const network = suite('upstream: network failures');

network(
  'an unknown host name and a refused connection are each reported by a phrase and the error code',
  async () => {
    const harness = await createUpstreamHarness();
    const port = await freePort();
    for (const [url, reason] of [
      [
        `mqtt://127.0.0.1:${port}`,
        new RegExp(
          `^The connection to 127\\.0\\.0\\.1:${port} failed: connection refused \\(ECONNREFUSED\\)\\.$`,
        ),
      ],
      [
        'mqtt://nowhere.invalid',
        /^The connection to nowhere\.invalid:1883 failed: (host name not found|temporary failure in name resolution) \(E\w+\)\.$/,
      ],
    ] as const) {
      const forwarder = harness.start({ url });
      await harness.until('it fails', () => forwarder.status().lastError !== undefined, 0);
      assert.match(forwarder.status().lastError ?? '', reason);
      assert.is(forwarder.status().state, 'waiting');
    }
    await harness.finish();
  },
);

network(
  'reconnect delays are randomized, double up to one minute and are reset by the delivery of a message',
  async () => {
    const harness = await createUpstreamHarness(0.5);
    let deaf = true;
    const times: number[] = [];
    const server = await startServer((packet, connection, index) => {
      if (packet.cmd === 'connect') times.push(harness.queue.clock.monotonic());
      if (deaf) connection.socket.destroy();
      else acceptAll(packet, connection, index);
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    // Each attempt connects twice, because the protocol version may have been the cause.
    await harness.until('it has tried ten times', () => times.length >= 20, 50);
    const waits = times
      .filter((_, index) => index % 2 === 0)
      .map((at, index, all) => at - (all[index - 1] ?? 0));
    const bounds = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    for (const [index, bound] of bounds.entries()) {
      const wait = waits[index + 1] ?? 0;
      assert.ok(wait >= bound && wait < bound + 2000, `${index}: ${wait}, not ${bound}`);
    }
    deaf = false;
    await harness.append(['x']);
    await harness.until('it has carried something', () => harness.forwarder().status().delivered === 1, 50);
    const before = harness.queue.clock.monotonic();
    server.connections.at(-1)?.socket.destroy();
    const connections = times.length;
    await harness.until('it is back', () => times.length > connections, 10);
    assert.ok((times.at(-1) ?? 0) - before < 1500);
    await harness.finish();
    await server.close();
  },
);

network('hubs that start at the same moment connect at random times within a second', async () => {
  const waits: number[] = [];
  for (const fraction of [0, 0.25, 0.99]) {
    const harness = await createUpstreamHarness(fraction, 0);
    const times: number[] = [];
    const server = await startServer((packet, connection, index) => {
      times.push(harness.queue.clock.monotonic());
      acceptAll(packet, connection, index);
    });
    const from = harness.queue.clock.monotonic();
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await harness.until('it has come', () => times.length > 0, 5);
    waits.push((times[0] ?? 0) - from);
    await harness.finish();
    await server.close();
  }
  const [first = 0, second = 0, third = 0] = waits;
  assert.ok(first < 250 && second >= 250 && second < 990 && third >= 990, waits.join());
});

network(
  'the hub still uses MQTT 5 for a server of MQTT 5 after two connections were cut before CONNACK',
  async () => {
    const harness = await createUpstreamHarness();
    let deaf = 0;
    const asked: (number | undefined)[] = [];
    const server = await startServer((packet, connection, index) => {
      if (packet.cmd === 'connect') asked.push(packet.protocolVersion);
      if (packet.cmd === 'connect' && deaf > 0) {
        deaf--;
        connection.socket.destroy();
      } else acceptAll(packet, connection, index);
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    const isThere = (): boolean => harness.forwarder().status().state === 'connected';
    await harness.until('it is connected', isThere, 10);
    for (const [cuts, versions] of [
      [2, [5, 5, 5]],
      // After three failures the address may belong to another server.
      [3, [5, 5, 5, 4]],
    ] as const) {
      asked.length = 0;
      deaf = cuts;
      server.connections.at(-1)?.socket.destroy();
      await harness.until('it is greeted again', () => asked.length >= versions.length, 10);
      assert.equal(asked, versions);
      await harness.until('it is back', isThere, 10);
    }
    await harness.finish();
    await server.close();
  },
);

network(
  'an upstream connection without an answer to PINGREQ is closed within one and a half keep-alives',
  async () => {
    const harness = await createUpstreamHarness();
    let deaf = false;
    const server = await startServer((packet, connection, index) => {
      if (!deaf) acceptAll(packet, connection, index);
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, keepAlive: '20s' });
    await harness.until('it is connected', () => harness.forwarder().status().state === 'connected', 0);
    for (let second = 0; second < 120; second++) {
      harness.queue.clock.advance(1000);
      for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
    }
    const pings = server.connections[0]?.packets.filter(({ cmd }) => cmd === 'pingreq').length ?? 0;
    assert.ok(pings >= 6 && pings <= 8, String(pings));
    assert.is(server.connections[0]?.packets.length, 1 + pings);
    deaf = true;
    const from = harness.queue.clock.monotonic();
    await harness.until('it is found', () => harness.forwarder().status().state !== 'connected', 100);
    assert.ok(harness.queue.clock.monotonic() - from <= 30_100);
    assert.match(
      harness.forwarder().status().lastError ?? '',
      /keep-alive timeout, nothing received for 30 s/,
    );
    await harness.finish();
    await server.close();
  },
);

network('a connection to a server that sends no CONNACK is closed after 20 s', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(() => {});
  harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await harness.until('it is given up', () => harness.forwarder().status().lastError !== undefined, 100);
  assert.match(harness.forwarder().status().lastError ?? '', /no CONNACK for 20 s/);
  assert.ok(harness.queue.clock.monotonic() < 40_000);
  await harness.finish();
  await server.close();
});

network('a server that does not speak MQTT, such as a captive portal, is reported as an error', async () => {
  const harness = await createUpstreamHarness();
  const portal = createServer(socket => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n');
  });
  const port = await new Promise<number>(done =>
    portal.listen(0, '127.0.0.1', () => {
      const address = portal.address();
      done(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
  harness.start({ url: `mqtt://127.0.0.1:${port}` });
  await harness.until('it is found out', () => harness.forwarder().status().lastError !== undefined);
  assert.match(harness.forwarder().status().lastError ?? '', /failed: /);
  await harness.finish();
  portal.close();
});

network('the reason code in a CONNACK or a DISCONNECT of a server is reported as a phrase', async () => {
  for (const [reasonCode, reason] of [
    [0x86, 'wrong or missing user name or password'],
    [0x87, 'wrong or missing user name or password'],
    [0x8a, 'banned'],
    [0x97, 'quota exceeded'],
  ] as const) {
    const harness = await createUpstreamHarness();
    const server = await startServer((packet, connection) => {
      if (packet.cmd === 'connect') connection.send({ cmd: 'connack', reasonCode, sessionPresent: false });
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await harness.until('it says so', () => harness.forwarder().status().lastError !== undefined, 0);
    assert.is(
      harness.forwarder().status().lastError,
      `127.0.0.1:${server.port} refused the connection: ${reason}.`,
    );
    await harness.finish();
    await server.close();
  }
  const harness = await createUpstreamHarness();
  const server = await startServer((packet, connection, index) => {
    acceptAll(packet, connection, index);
    if (packet.cmd === 'connect')
      connection.send({ cmd: 'disconnect', reasonCode: 0x8b, properties: { reasonString: 'back at nine' } });
  });
  harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await harness.until('it says so', () => harness.forwarder().status().lastError !== undefined, 0);
  assert.match(harness.forwarder().status().lastError ?? '', /server shutting down \("back at nine"\)/);
  await harness.finish();
  await server.close();
});

network(
  'the hub tries the upstream addresses in order and returns to the first address once it answers',
  async () => {
    const harness = await createUpstreamHarness();
    const first = await freePort();
    const second = await startServer(acceptAll);
    harness.start({ urls: [`mqtt://127.0.0.1:${first}`, `mqtt://127.0.0.1:${second.port}`] });
    await harness.append(['1']);
    await harness.until('the second has it', () => harness.forwarder().status().delivered === 1, 10);
    assert.ok(harness.queue.clock.monotonic() < 5000);
    const better = await startServer(acceptAll, first);
    await harness.until('it is back', () => harness.forwarder().status().address.endsWith(`:${first}`), 1000);
    await harness.append(['2']);
    await harness.until('the first has the next', () => harness.forwarder().status().delivered === 2, 10);
    assert.equal([second.bodies(), better.bodies()], [['1'], ['2']]);
    assert.is(second.connections.length, 1);
    assert.ok(second.connections[0]?.packets.some(({ cmd }) => cmd === 'disconnect'));
    await better.close();
    await harness.until('the second is found again', () => second.connections.length === 2, 50);
    await harness.finish();
    await second.close();
  },
);

network.run();
