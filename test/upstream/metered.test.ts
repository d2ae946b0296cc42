import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isScheduled } from '../../src/upstream/metering/schedule.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import { acceptAll, startServer } from './server.ts';

const metered = suite('upstream: metered connections');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

metered('a metered upstream sends the waiting messages in one batch per interval', async () => {
  const harness = await createUpstreamHarness();
  const arrivals: number[] = [];
  const server = await startServer((packet, connection, index) => {
    if (packet.cmd === 'publish') arrivals.push(harness.queue.clock.monotonic());
    acceptAll(packet, connection, index);
  });
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, interval: '10m', window: 4 });
  await harness.append(numbers(20));
  await harness.until('the first batch is there', () => harness.forwarder().status().delivered === 20);
  const first = harness.queue.clock.monotonic();
  for (const text of numbers(3)) {
    await harness.append([text]);
    harness.queue.clock.advance(1000);
  }
  assert.is(harness.forwarder().status().pause, 'the next batch is not due yet');
  await harness.until('the second is there', () => harness.forwarder().status().delivered === 23, 500);
  const second = arrivals.slice(20);
  assert.ok(
    second.every(at => at - first >= 9.9 * MINUTE && at - first < 10.5 * MINUTE),
    String(second),
  );
  await harness.finish();
  await server.close();
});

metered(
  'a metered upstream sends all waiting messages in one batch, also if they exceed the window',
  async () => {
    for (const exactlyOnce of [false, true]) {
      const harness = await createUpstreamHarness();
      const server = await startServer(acceptAll);
      harness.start({ url: `mqtt://127.0.0.1:${server.port}`, interval: '10m', window: 4, exactlyOnce });
      await harness.append(numbers(20));
      const from = harness.queue.clock.monotonic();
      await harness.until('all is there', () => harness.forwarder().status().delivered === 20, 20);
      assert.ok(harness.queue.clock.monotonic() - from < 9 * MINUTE, String(exactlyOnce));
      await harness.finish();
      await server.close();
    }
  },
);

metered('a metered upstream sends no more bytes per day than its budget, also across restarts', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll);
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, budget: '96K', keepAlive: '1h' };
  const bytes = (): number =>
    server.connections.reduce((sum, { socket }) => sum + socket.bytesRead + socket.bytesWritten, 0);
  const body = 'x'.repeat(1000);
  harness.start(upstream);
  await harness.append(numbers(200).map(text => text + body));
  await harness.until('it is used up', () => harness.forwarder().status().pause !== undefined);
  assert.is(harness.forwarder().status().pause, 'the daily budget is used up');
  const atOnce = harness.forwarder().status().delivered;
  assert.ok(bytes() < 96 * 1024 + 64 * 1100 && atOnce < 160, `${bytes()} ${atOnce}`);
  await harness.queue.commit();
  await harness.restart(upstream);
  await harness.until('it is connected', () => harness.forwarder().status().state === 'connected');
  for (let turn = 0; turn < 100; turn++) await new Promise(done => setImmediate(done));
  assert.is(harness.forwarder().status().delivered, 0);
  const from = harness.queue.clock.monotonic();
  await harness.until('the rest is there', () => harness.queue.store.stats()[0]?.depth === 0, MINUTE);
  assert.ok(
    harness.queue.clock.monotonic() - from > 8 * HOUR,
    String(harness.queue.clock.monotonic() - from),
  );
  assert.is(new Set(server.bodies()).size, 200);
  await harness.finish();
  await server.close();
});

metered('a metered upstream is not connected outside of its schedule', async () => {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll);
  const timeIn = (minutes: number): string => {
    const then = new Date(harness.queue.clock.wall() + minutes * MINUTE);
    return then.toTimeString().slice(0, 5);
  };
  harness.start({ url: `mqtt://127.0.0.1:${server.port}`, schedule: [`${timeIn(10)}-${timeIn(20)}`] });
  await harness.append(['x']);
  assert.is(harness.forwarder().status().pause, 'outside the scheduled hours');
  await harness.until('it is sent', () => harness.forwarder().status().delivered === 1, 1000);
  const at = harness.queue.clock.monotonic();
  assert.ok(at >= 9.5 * MINUTE && at < 12 * MINUTE, String(at));
  await harness.until('it is left', () => harness.forwarder().status().state === 'waiting', 1000);
  const left = harness.queue.clock.monotonic();
  assert.ok(left >= 19.5 * MINUTE && left < 22 * MINUTE, String(left));
  assert.is(server.connections.length, 1);
  await harness.finish();
  await server.close();
});

metered('a schedule of an upstream can span midnight', () => {
  const at = (hours: number, minutes: number): number => new Date(2026, 5, 1, hours, minutes).getTime();
  const night = [{ from: 22 * 60, to: 4 * 60 + 30 }];
  assert.equal(
    [at(21, 59), at(22, 0), at(0, 0), at(4, 29), at(4, 30), at(12, 0)].map(wall => isScheduled(night, wall)),
    [false, true, true, true, false, false],
  );
  assert.ok(isScheduled([], at(12, 0)));
  assert.ok(isScheduled(night, 12 * HOUR));
});

metered.run();
