import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isScheduled } from '../../src/upstream/metering/schedule.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import { friendly, startServer } from './server.ts';

const metered = suite('upstream: lines that cost');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

metered('with an interval what waits goes together, and the next not before its time', async () => {
  const stage = await createUpstreamHarness();
  const arrivals: number[] = [];
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'publish') arrivals.push(stage.queue.clock.monotonic());
    friendly(packet, guest, index);
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, interval: '10m', window: 4 });
  await stage.append(numbers(20));
  await stage.until('the first batch is there', () => stage.forwarder().status().delivered === 20);
  const first = stage.queue.clock.monotonic();
  for (const text of numbers(3)) {
    await stage.append([text]);
    stage.queue.clock.advance(1000);
  }
  assert.is(stage.forwarder().status().pause, 'the next batch is not due yet');
  await stage.until('the second is there', () => stage.forwarder().status().delivered === 23, 500);
  const second = arrivals.slice(20);
  assert.ok(
    second.every(at => at - first >= 9.9 * MINUTE && at - first < 10.5 * MINUTE),
    String(second),
  );
  await stage.finish();
  await server.close();
});

metered('a batch is all that waits, window after window, at QoS 2 as well', async () => {
  for (const exactlyOnce of [false, true]) {
    const stage = await createUpstreamHarness();
    const server = await startServer(friendly);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, interval: '10m', window: 4, exactlyOnce });
    await stage.append(numbers(20));
    const from = stage.queue.clock.monotonic();
    await stage.until('all is there', () => stage.forwarder().status().delivered === 20, 20);
    assert.ok(stage.queue.clock.monotonic() - from < 9 * MINUTE, String(exactlyOnce));
    await stage.finish();
    await server.close();
  }
});

metered('a budget bounds the bytes of a day, over restarts, and nothing is lost', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, budget: '96K', keepAlive: '1h' };
  const bytes = (): number =>
    server.guests.reduce((sum, { socket }) => sum + socket.bytesRead + socket.bytesWritten, 0);
  const body = 'x'.repeat(1000);
  stage.start(upstream);
  await stage.append(numbers(200).map(text => text + body));
  await stage.until('it is used up', () => stage.forwarder().status().pause !== undefined);
  assert.is(stage.forwarder().status().pause, 'the daily budget is used up');
  const atOnce = stage.forwarder().status().delivered;
  assert.ok(bytes() < 96 * 1024 + 64 * 1100 && atOnce < 160, `${bytes()} ${atOnce}`);
  await stage.queue.commit();
  await stage.restart(upstream);
  await stage.until('it is connected', () => stage.forwarder().status().state === 'connected');
  for (let turn = 0; turn < 100; turn++) await new Promise(done => setImmediate(done));
  assert.is(stage.forwarder().status().delivered, 0);
  const from = stage.queue.clock.monotonic();
  await stage.until('the rest is there', () => stage.queue.store.stats()[0]?.depth === 0, MINUTE);
  assert.ok(stage.queue.clock.monotonic() - from > 8 * HOUR, String(stage.queue.clock.monotonic() - from));
  assert.is(new Set(server.bodies()).size, 200);
  await stage.finish();
  await server.close();
});

metered('outside of its schedule it is not connected', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(friendly);
  const timeIn = (minutes: number): string => {
    const then = new Date(stage.queue.clock.wall() + minutes * MINUTE);
    return then.toTimeString().slice(0, 5);
  };
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, schedule: [`${timeIn(10)}-${timeIn(20)}`] });
  await stage.append(['x']);
  assert.is(stage.forwarder().status().pause, 'outside the scheduled hours');
  await stage.until('it is sent', () => stage.forwarder().status().delivered === 1, 1000);
  const at = stage.queue.clock.monotonic();
  assert.ok(at >= 9.5 * MINUTE && at < 12 * MINUTE, String(at));
  await stage.until('it is left', () => stage.forwarder().status().state === 'waiting', 1000);
  const left = stage.queue.clock.monotonic();
  assert.ok(left >= 19.5 * MINUTE && left < 22 * MINUTE, String(left));
  assert.is(server.guests.length, 1);
  await stage.finish();
  await server.close();
});

metered('times of the day: over midnight, none at all, and a clock that is not set', () => {
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
