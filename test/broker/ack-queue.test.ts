import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAckQueue } from '../../src/broker/inbound/ack-queue.ts';
import { PUBACK } from '../../src/mqtt/acknowledgement.ts';

type Publish = { readonly place: number; readonly refused: boolean };

const ackQueue = suite('broker: ack queue');

ackQueue(
  '[MQTT-4.6.0-2] PUBACKs are sent in the order of the PUBLISHes, whatever the order of the commits',
  () => {
    const publish: fc.Arbitrary<Publish> = fc.record({ place: fc.nat(), refused: fc.boolean() });
    fc.assert(
      fc.property(fc.array(publish, { maxLength: 30 }), published => {
        const sent: number[] = [];
        const queue = createAckQueue(
          (_, packetId) => sent.push(packetId),
          () => {},
        );
        const open = published.map(({ place, refused }, packetId) => {
          return { packetId, place, refused, position: queue.reserve(PUBACK, packetId) };
        });
        const done = new Set<number>();
        for (const { packetId, refused, position } of open.toSorted(
          (one, other) => one.place - other.place,
        )) {
          if (refused) queue.cancel(position);
          else queue.complete(position, 0);
          done.add(packetId);
          const first = open.findIndex(({ packetId: id }) => !done.has(id));
          const due = first < 0 ? open : open.slice(0, first);
          const expected = due.filter(({ refused: not }) => !not).map(({ packetId: id }) => id);
          assert.equal(sent, expected);
          assert.is(queue.pending(), open.length - due.length);
        }
      }),
      { numRuns: 2000 },
    );
  },
);

ackQueue('a refused PUBLISH gets no PUBACK and does not delay the PUBACKs of later PUBLISHes', () => {
  const sent: number[] = [];
  let changes = 0;
  const queue = createAckQueue(
    (_, packetId) => sent.push(packetId),
    () => changes++,
  );
  const first = queue.reserve(PUBACK, 1);
  const second = queue.reserve(PUBACK, 2);
  queue.complete(second, 0);
  assert.equal([sent, queue.pending(), changes], [[], 2, 0]);
  queue.cancel(first);
  assert.equal([sent, queue.pending(), changes], [[2], 0, 1]);
});

ackQueue.run();
