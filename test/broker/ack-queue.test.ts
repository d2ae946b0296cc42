import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAckQueue } from '../../src/broker/inbound/ack-queue.ts';
import { PUBACK } from '../../src/mqtt/acknowledgement.ts';

type Publish = { readonly place: number; readonly refused: boolean };

const receipts = suite('broker: receipts');

receipts(
  '[MQTT-4.6.0-2] in whatever order messages are settled, PUBACKs follow the order of the PUBLISHes',
  () => {
    const publish: fc.Arbitrary<Publish> = fc.record({ place: fc.nat(), refused: fc.boolean() });
    fc.assert(
      fc.property(fc.array(publish, { maxLength: 30 }), published => {
        const paid: number[] = [];
        const owing = createAckQueue(
          (_, packetId) => paid.push(packetId),
          () => {},
        );
        const open = published.map(({ place, refused }, packetId) => {
          return { packetId, place, refused, receipt: owing.reserve(PUBACK, packetId) };
        });
        const settled = new Set<number>();
        for (const { packetId, refused, receipt } of open.toSorted((one, other) => one.place - other.place)) {
          if (refused) owing.cancel(receipt);
          else owing.complete(receipt, 0);
          settled.add(packetId);
          const first = open.findIndex(({ packetId: id }) => !settled.has(id));
          const due = first < 0 ? open : open.slice(0, first);
          const owed = due.filter(({ refused: not }) => !not).map(({ packetId: id }) => id);
          assert.equal(paid, owed);
          assert.is(owing.pending(), open.length - due.length);
        }
      }),
      { numRuns: 2000 },
    );
  },
);

receipts('what was refused is never acknowledged, and holds up nothing behind it', () => {
  const paid: number[] = [];
  let changes = 0;
  const owing = createAckQueue(
    (_, packetId) => paid.push(packetId),
    () => changes++,
  );
  const first = owing.reserve(PUBACK, 1);
  const second = owing.reserve(PUBACK, 2);
  owing.complete(second, 0);
  assert.equal([paid, owing.pending(), changes], [[], 2, 0]);
  owing.cancel(first);
  assert.equal([paid, owing.pending(), changes], [[2], 0, 1]);
});

receipts.run();
