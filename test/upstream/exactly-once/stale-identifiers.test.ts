import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PUBCOMP, PUBREL } from '../../../src/mqtt/acknowledgement.ts';
import { packetIdOf } from '../../../src/mqtt/inflight.ts';
import { openQos2Outbound } from '../../../src/upstream/messages/qos2-outbound.ts';
import { startUplink } from '../../../src/upstream/messages/uplink.ts';
import { PROFILES } from '../../../src/upstream/profile.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';
import { PLAIN_TERMS, recordingLink } from '../links.ts';

const stale = suite('upstream: identifiers of messages that are no more');

stale('one that went out and left by its age is released before another message goes under it', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('x'), [to('q')]);
  const [waiting] = stage.store.peek('q', 1);
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
  const outflow = startUplink({
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
    drain: settings => stage.store.drain('q', settings),
    releases,
    mayBegin: () => true,
    taken: () => {},
    refused: () => {},
    clock: stage.clock,
    random: { fraction: () => 0, bytes: count => Buffer.alloc(count) },
  });
  outflow.wake();
  assert.equal(link.sent, [[PUBREL, packetId]]);
  outflow.acknowledged(PUBCOMP, packetId, 0);
  assert.equal(link.sent, [
    [PUBREL, packetId],
    ['x', packetId],
  ]);
  outflow.stop();
  await stage.finish();
});

stale.run();
