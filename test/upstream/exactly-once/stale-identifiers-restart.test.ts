import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepUpstream } from '../../../src/hub/persistence/upstream-session.ts';
import { packetIdOf } from '../../../src/mqtt/inflight.ts';
import { openQos2Outbound } from '../../../src/upstream/messages/qos2-outbound.ts';
import { messageOf, to } from '../../harness/queue.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';
import { startServer, welcome } from '../server.ts';

const stale = suite('upstream: identifiers of messages that are no more, after a restart');

const AWAY = 120_000;
const WINDOW = 4;

/** A later message that has the identifier of one that went out before. */
const LATER = 65_535;

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

for (const [how, isKilled] of [
  ['noted when its link was lost', false],
  ['found in the queue after a power cut that outlasted it', true],
] as const) {
  stale(`one that may be with the upstream is known when its time is over: ${how}`, async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer((packet, guest, index) => {
      if (packet.cmd === 'connect') welcome(guest, {}, index > 0);
    });
    const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true, window: WINDOW };
    stage.start(upstream);
    await stage.append(['x'], { ttl: 60_000 });
    await stage.until('it has gone out', () => server.bodies().length === 1);
    const { store } = stage.queue;
    const [sequence = 0] = store.heads('$upstream', 1);
    if (!isKilled) {
      await server.close();
      await stage.until('its link is lost', () => stage.forwarder().status().state === 'waiting');
      await stage.queue.pass(AWAY);
      assert.is(store.stats()[0]?.depth, 0);
    }
    await stage.queue.restart(isKilled ? AWAY : 0);
    if (isKilled) await server.close();
    const isStale = (): boolean =>
      openQos2Outbound(keepUpstream(stage.queue.store, QUIET).releases, WINDOW).isStale(
        packetIdOf(sequence),
        sequence + LATER,
      );
    assert.ok(isStale());
    await stage.queue.pass(AWAY);
    assert.is(stage.queue.store.stats()[0]?.depth ?? 0, 0);
    await stage.queue.restart();
    assert.ok(isStale(), 'after another restart');
    await stage.finish();
  });
}

stale('what waits behind what may have been on its way is not taken for it', async () => {
  const stage = await createUpstreamHarness();
  for (const priority of [1, 5])
    for (const text of ['a', 'b', 'c'])
      stage.queue.store.append(messageOf(text), [to('$upstream', priority)], () => {});
  await stage.queue.commit();
  const sequences = stage.queue.store.peek('$upstream', 6).map(({ sequence }) => sequence);
  const releases = openQos2Outbound(keepUpstream(stage.queue.store, QUIET).releases, 2);
  assert.equal(
    sequences.map(sequence => releases.isStale(packetIdOf(sequence), sequence + LATER)),
    [true, true, false, true, true, false],
  );
  await stage.finish();
});

stale.run();
