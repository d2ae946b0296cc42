import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../harness/binary.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';
import { friendly, startServer } from '../server.ts';

const network = suite('upstream: the network as it is');

network('a name that is not known, and a port where nobody listens, are said in words', async () => {
  const stage = await createUpstreamHarness();
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
    const forwarder = stage.start({ url });
    await stage.until('it fails', () => forwarder.status().lastError !== undefined, 0);
    assert.match(forwarder.status().lastError ?? '', reason);
    assert.is(forwarder.status().state, 'waiting');
  }
  await stage.finish();
});

network(
  'waits double up to a minute, are spread, and begin anew after a link that carried something',
  async () => {
    const stage = await createUpstreamHarness(0.5);
    let deaf = true;
    const times: number[] = [];
    const server = await startServer((packet, guest, index) => {
      if (packet.cmd === 'connect') times.push(stage.queue.clock.monotonic());
      if (deaf) guest.socket.destroy();
      else friendly(packet, guest, index);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
    // Each try asks twice: it may have been the version.
    await stage.until('it has tried ten times', () => times.length >= 20, 50);
    const waits = times
      .filter((_, index) => index % 2 === 0)
      .map((at, index, all) => at - (all[index - 1] ?? 0));
    const bounds = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    for (const [index, bound] of bounds.entries()) {
      const wait = waits[index + 1] ?? 0;
      assert.ok(wait >= bound && wait < bound + 2000, `${index}: ${wait}, not ${bound}`);
    }
    deaf = false;
    await stage.append(['x']);
    await stage.until('it has carried something', () => stage.forwarder().status().delivered === 1, 50);
    const before = stage.queue.clock.monotonic();
    server.guests.at(-1)?.socket.destroy();
    const connections = times.length;
    await stage.until('it is back', () => times.length > connections, 10);
    assert.ok((times.at(-1) ?? 0) - before < 1500);
    await stage.finish();
    await server.close();
  },
);

network('the hubs of a site that start in one moment come one after the other, within a second', async () => {
  const waits: number[] = [];
  for (const fraction of [0, 0.25, 0.99]) {
    const stage = await createUpstreamHarness(fraction, 0);
    const times: number[] = [];
    const server = await startServer((packet, guest, index) => {
      times.push(stage.queue.clock.monotonic());
      friendly(packet, guest, index);
    });
    const from = stage.queue.clock.monotonic();
    stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await stage.until('it has come', () => times.length > 0, 5);
    waits.push((times[0] ?? 0) - from);
    await stage.finish();
    await server.close();
  }
  const [first = 0, second = 0, third = 0] = waits;
  assert.ok(first < 250 && second >= 250 && second < 990 && third >= 990, waits.join());
});

network(
  'a server that speaks MQTT 5 is not taken for an older one when the network cuts its greeting',
  async () => {
    const stage = await createUpstreamHarness();
    let deaf = 0;
    const asked: (number | undefined)[] = [];
    const server = await startServer((packet, guest, index) => {
      if (packet.cmd === 'connect') asked.push(packet.protocolVersion);
      if (packet.cmd === 'connect' && deaf > 0) {
        deaf--;
        guest.socket.destroy();
      } else friendly(packet, guest, index);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
    const isThere = (): boolean => stage.forwarder().status().state === 'connected';
    await stage.until('it is connected', isThere, 10);
    for (const [cuts, versions] of [
      [2, [5, 5, 5]],
      // It may be another server by now.
      // It may be another server by now.
      [3, [5, 5, 5, 4]],
    ] as const) {
      asked.length = 0;
      deaf = cuts;
      server.guests.at(-1)?.socket.destroy();
      await stage.until('it is greeted again', () => asked.length >= versions.length, 10);
      assert.equal(asked, versions);
      await stage.until('it is back', isThere, 10);
    }
    await stage.finish();
    await server.close();
  },
);

network(
  'a link that falls silent is found within one and a half keep-alives, and idle it only pings',
  async () => {
    const stage = await createUpstreamHarness();
    let deaf = false;
    const server = await startServer((packet, guest, index) => {
      if (!deaf) friendly(packet, guest, index);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, keepAlive: '20s' });
    await stage.until('it is connected', () => stage.forwarder().status().state === 'connected', 0);
    for (let second = 0; second < 120; second++) {
      stage.queue.clock.advance(1000);
      for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
    }
    const pings = server.guests[0]?.packets.filter(({ cmd }) => cmd === 'pingreq').length ?? 0;
    assert.ok(pings >= 6 && pings <= 8, String(pings));
    assert.is(server.guests[0]?.packets.length, 1 + pings);
    deaf = true;
    const from = stage.queue.clock.monotonic();
    await stage.until('it is found', () => stage.forwarder().status().state !== 'connected', 100);
    assert.ok(stage.queue.clock.monotonic() - from <= 30_100);
    assert.match(stage.forwarder().status().lastError ?? '', /keep-alive timeout, nothing received for 30 s/);
    await stage.finish();
    await server.close();
  },
);

network('one that takes the connection and says nothing is given up in time', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(() => {});
  stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await stage.until('it is given up', () => stage.forwarder().status().lastError !== undefined, 100);
  assert.match(stage.forwarder().status().lastError ?? '', /no CONNACK for 20 s/);
  assert.ok(stage.queue.clock.monotonic() < 40_000);
  await stage.finish();
  await server.close();
});

network('one that is no MQTT server, as of a captive portal', async () => {
  const stage = await createUpstreamHarness();
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
  stage.start({ url: `mqtt://127.0.0.1:${port}` });
  await stage.until('it is found out', () => stage.forwarder().status().lastError !== undefined);
  assert.match(stage.forwarder().status().lastError ?? '', /failed: /);
  await stage.finish();
  portal.close();
});

network('refusals of a server are said in words: wrong password, not allowed, shutting down', async () => {
  for (const [reasonCode, reason] of [
    [0x86, 'wrong or missing user name or password'],
    [0x87, 'wrong or missing user name or password'],
    [0x8a, 'banned'],
    [0x97, 'quota exceeded'],
  ] as const) {
    const stage = await createUpstreamHarness();
    const server = await startServer((packet, guest) => {
      if (packet.cmd === 'connect') guest.send({ cmd: 'connack', reasonCode, sessionPresent: false });
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await stage.until('it says so', () => stage.forwarder().status().lastError !== undefined, 0);
    assert.is(
      stage.forwarder().status().lastError,
      `127.0.0.1:${server.port} refused the connection: ${reason}.`,
    );
    await stage.finish();
    await server.close();
  }
  const stage = await createUpstreamHarness();
  const server = await startServer((packet, guest, index) => {
    friendly(packet, guest, index);
    if (packet.cmd === 'connect')
      guest.send({ cmd: 'disconnect', reasonCode: 0x8b, properties: { reasonString: 'back at nine' } });
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await stage.until('it says so', () => stage.forwarder().status().lastError !== undefined, 0);
  assert.match(stage.forwarder().status().lastError ?? '', /server shutting down \("back at nine"\)/);
  await stage.finish();
  await server.close();
});

network('several addresses are tried in order, and the first is gone back to when it answers', async () => {
  const stage = await createUpstreamHarness();
  const first = await freePort();
  const second = await startServer(friendly);
  stage.start({ urls: [`mqtt://127.0.0.1:${first}`, `mqtt://127.0.0.1:${second.port}`] });
  await stage.append(['1']);
  await stage.until('the second has it', () => stage.forwarder().status().delivered === 1, 10);
  assert.ok(stage.queue.clock.monotonic() < 5000);
  const better = await startServer(friendly, first);
  await stage.until('it is back', () => stage.forwarder().status().address.endsWith(`:${first}`), 1000);
  await stage.append(['2']);
  await stage.until('the first has the next', () => stage.forwarder().status().delivered === 2, 10);
  assert.equal([second.bodies(), better.bodies()], [['1'], ['2']]);
  assert.is(second.guests.length, 1);
  assert.ok(second.guests[0]?.packets.some(({ cmd }) => cmd === 'disconnect'));
  await better.close();
  await stage.until('the second is found again', () => second.guests.length === 2, 50);
  await stage.finish();
  await second.close();
});

network.run();
