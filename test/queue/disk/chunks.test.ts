import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  addEntry,
  arrivedAt,
  bytesAt,
  chunkFrom,
  draftChunk,
  entrySize,
  expiresAt,
  indexBehind,
  isInline,
  maxExpiryAt,
  recordEnd,
  recordStart,
  sealChunk,
  sequenceAt,
  without,
} from '../../../src/queue/disk/chunk.ts';

/** Option for objects with the usual prototype. */
const PLAIN = { noNullPrototype: true } as const;

const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const moment = fc.double({ min: 0, noNaN: true });
const bytes = fc.integer({ min: 0, max: 0xffff_ffff });
const entry = fc.record(
  {
    sequence,
    expires: moment,
    maxExpiry: moment,
    arrived: moment,
    bytes,
    record: fc.uint8Array({ maxLength: 99 }),
  },
  PLAIN,
);
const entries = fc
  .uniqueArray(entry, { minLength: 1, maxLength: 20, selector: one => one.sequence })
  .map(list => list.toSorted((one, other) => one.sequence - other.sequence));

type Entry = typeof entry extends fc.Arbitrary<infer Value> ? Value : never;

function chunkOf(list: readonly Entry[]): Buffer {
  const size = list.reduce((sum, { record }) => sum + entrySize(record.length), 0);
  const draft = draftChunk(list.length, size, Buffer.alloc);
  for (const { sequence: number, arrived, record, ...header } of list) {
    addEntry(draft, number, header, arrived, Buffer.from([9, 9, ...record]), 2, 2 + record.length);
  }
  return sealChunk(draft);
}

/** Decodes a chunk of `count` entries that ends with the last of `list`. */
function entriesIn(value: Buffer, count: number, list: readonly Entry[]): unknown[] {
  const chunk = chunkFrom(Buffer.alloc(0), list.at(-1)?.sequence ?? 0, count, value);
  return Array.from({ length: count }, (_, index) => {
    const record = value.subarray(recordStart(chunk, index), recordEnd(chunk, index));
    assert.is(isInline(chunk, index), record.length > 0);
    return {
      sequence: sequenceAt(chunk, index),
      expires: expiresAt(chunk, index),
      maxExpiry: maxExpiryAt(chunk, index),
      arrived: arrivedAt(chunk, index),
      bytes: bytesAt(chunk, index),
      record: new Uint8Array(record),
    };
  });
}

const chunks = suite('queue: chunks of entries');

chunks('a chunk of queue entries decodes to its entries, also after some of the entries are removed', () => {
  fc.assert(
    fc.property(entries, fc.func(fc.boolean()), (list, stays) => {
      const value = chunkOf(list);
      assert.equal(entriesIn(value, list.length, list), list);
      const kept = list.filter(one => stays(one.sequence));
      const gone = list.filter(one => !kept.includes(one)).map(one => one.sequence);
      const rest = without(
        chunkFrom(Buffer.alloc(0), list.at(-1)?.sequence ?? 0, list.length, value),
        [-1, ...gone, Number.POSITIVE_INFINITY],
        1,
        1 + gone.length,
        Buffer.alloc,
      );
      assert.equal(entriesIn(rest.value, rest.entries, list), kept);
    }),
  );
});

chunks('`indexBehind` returns the index of the first entry with a higher sequence number', () => {
  fc.assert(
    fc.property(entries, sequence, (list, number) => {
      const chunk = chunkFrom(Buffer.alloc(0), list.at(-1)?.sequence ?? 0, list.length, chunkOf(list));
      assert.is(indexBehind(chunk, number), list.filter(one => one.sequence <= number).length);
    }),
  );
});

chunks(
  'a chunk of queue entries with a changed byte in its headers is detected as damaged and keeps its entry count',
  () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, at, change) => {
        const value = chunkOf(list);
        const index = at % (4 + list.length * entrySize(0));
        value[index] = (value[index] ?? 0) ^ change;
        const chunk = chunkFrom(Buffer.alloc(0), list.at(-1)?.sequence ?? 0, list.length, value);
        assert.not(chunk.whole);
        assert.is(sequenceAt(chunk, list.length - 1), list.at(-1)?.sequence);
        assert.is(sequenceAt(chunk, 0), (list.at(-1)?.sequence ?? 0) - list.length + 1);
      }),
    );
  },
);

chunks.run();
