import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepUpstream } from '../../../src/hub/persistence/upstream-session.ts';
import { packetIdOf } from '../../../src/mqtt/inflight.ts';
import { openQos2Outbound } from '../../../src/upstream/messages/qos2-outbound.ts';
import { messageOf, to } from '../../harness/queue.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';
import { sendConnack, startServer } from '../server.ts';

const stale = suite('upstream: stale packet identifiers after a restart');

const AWAY = 120_000;
const WINDOW = 4;

/** Difference between the sequences of two messages with the same packet identifier. */
const LATER = 65_535;

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

for (const [how, isKilled] of [
  ['after a lost connection', false],
  ['after a power cut longer than the TTL', true],
] as const) {
  stale(
    `the packet identifier of an expired message that was possibly sent needs PUBREL before reuse ${how}`,
    async () => {
      const harness = await createUpstreamHarness();
      const server = await startServer((packet, connection, index) => {
        if (packet.cmd === 'connect') sendConnack(connection, {}, index > 0);
      });
      const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true, window: WINDOW };
      harness.start(upstream);
      await harness.append(['x'], { ttl: 60_000 });
      await harness.until('it has gone out', () => server.bodies().length === 1);
      const { store } = harness.queue;
      const [sequence = 0] = store.heads('$upstream', 1);
      if (!isKilled) {
        await server.close();
        await harness.until('its link is lost', () => harness.forwarder().status().state === 'waiting');
        await harness.queue.pass(AWAY);
        assert.is(store.stats()[0]?.depth, 0);
      }
      await harness.queue.restart(isKilled ? AWAY : 0);
      if (isKilled) await server.close();
      const isStale = (): boolean =>
        openQos2Outbound(keepUpstream(harness.queue.store, QUIET).releases, WINDOW).isStale(
          packetIdOf(sequence),
          sequence + LATER,
        );
      assert.ok(isStale());
      await harness.queue.pass(AWAY);
      assert.is(harness.queue.store.stats()[0]?.depth ?? 0, 0);
      await harness.queue.restart();
      assert.ok(isStale(), 'after another restart');
      await harness.finish();
    },
  );
}

stale(
  'the packet identifier of a message beyond the window of its priority needs no PUBREL before reuse',
  async () => {
    const harness = await createUpstreamHarness();
    for (const priority of [1, 5])
      for (const text of ['a', 'b', 'c'])
        harness.queue.store.append(messageOf(text), [to('$upstream', priority)], () => {});
    await harness.queue.commit();
    const sequences = harness.queue.store.peek('$upstream', 6).map(({ sequence }) => sequence);
    const releases = openQos2Outbound(keepUpstream(harness.queue.store, QUIET).releases, 2);
    assert.equal(
      sequences.map(sequence => releases.isStale(packetIdOf(sequence), sequence + LATER)),
      [true, true, false, true, true, false],
    );
    await harness.finish();
  },
);

stale.run();
