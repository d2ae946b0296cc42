import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PUBCOMP, PUBREL } from '../../../src/mqtt/acknowledgement.ts';
import { packetIdOf } from '../../../src/mqtt/inflight.ts';
import { openQos2Outbound } from '../../../src/upstream/messages/qos2-outbound.ts';
import { startUplink } from '../../../src/upstream/messages/uplink.ts';
import { PROFILES } from '../../../src/upstream/profile.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';
import { PLAIN_TERMS, recordingLink } from '../links.ts';

const stale = suite('upstream: stale packet identifiers');

stale(
  'PUBREL is sent for the packet identifier of an expired message before another message uses this identifier',
  async () => {
    const harness = await createStoreHarness();
    await harness.append(messageOf('x'), [to('q')]);
    const [waiting] = harness.store.peek('q', 1);
    const sequence = waiting?.sequence ?? 0;
    const packetId = packetIdOf(sequence);
    const releases = openQos2Outbound(
      {
        load: () => [],
        keep: () => {},
        forget: () => {},
        loadUnanswered: () => [],
        keepUnanswered: () => {},
        first: () => [],
      },
      4,
    );
    releases.published(packetId, sequence - 65_535);
    const link = recordingLink();
    const uplink = startUplink({
      link,
      terms: PLAIN_TERMS,
      profile: PROFILES.mqtt,
      device: 'edge',
      keepsTopic: false,
      version: 5,
      topicOf: ({ topic }) => topic,
      qos: 2,
      unproven: false,
      window: 4,
      priorities: 'weighted',
      careful: false,
      aside: new Set<number>(),
      offers: () => {},
      dry: () => {},
      drain: settings => harness.store.drain('q', settings),
      releases,
      mayBegin: () => true,
      taken: () => {},
      refused: () => {},
      clock: harness.clock,
      random: { fraction: () => 0, bytes: count => Buffer.alloc(count) },
    });
    uplink.wake();
    assert.equal(link.sent, [[PUBREL, packetId]]);
    uplink.acknowledged(PUBCOMP, packetId, 0);
    assert.equal(link.sent, [
      [PUBREL, packetId],
      ['x', packetId],
    ]);
    uplink.stop();
    await harness.finish();
  },
);

stale.run();
