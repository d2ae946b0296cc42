import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message, Origin } from '../../../src/core/message.ts';
import { NO_PROPERTIES } from '../../../src/core/message.ts';
import { chunkKey, entriesOf, expiryKey, placeKey, placeOf } from '../../../src/queue/disk/layout.ts';
import {
  appendSize,
  BLOCK,
  decodeRuns,
  draftRun,
  sealRun,
  writeAppend,
  writeHold,
} from '../../../src/queue/journal/run.ts';
import { decodeRecord } from '../../../src/queue/record/record-decode.ts';
import { encodeRecord, recordSize } from '../../../src/queue/record/record-encode.ts';

/** Option for objects with the usual prototype. */
const PLAIN = { noNullPrototype: true } as const;

const origin: fc.Arbitrary<Origin> = fc.oneof(
  fc.record({ kind: fc.constant('module' as const), module: fc.string(), output: fc.string() }, PLAIN),
  fc.record({ kind: fc.constant('client' as const), client: fc.string({ unit: 'grapheme' }) }, PLAIN),
  fc.record(
    { kind: fc.constant('upstream' as const), upstream: fc.constantFrom('upstream', 'cloud', 'b-1') },
    PLAIN,
  ),
);

const message: fc.Arbitrary<Message> = fc.record(
  {
    topic: fc.string({ unit: 'grapheme' }),
    body: fc.uint8Array({ maxLength: 3000 }).map(bytes => Buffer.from(bytes)),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    origin,
    properties: fc.oneof(
      fc.constant(NO_PROPERTIES),
      fc
        .array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { minLength: 1 })
        .map(pairs => pairs.flat()),
    ),
    retained: fc.boolean(),
    payloadFormat: fc.constantFrom(undefined, 0, 1),
    responseTopic: fc.option(fc.string(), { nil: undefined }),
    correlation: fc.option(
      fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
      { nil: undefined },
    ),
    contentType: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    ttl: fc.option(
      fc.integer({ min: 0, max: 0xffff_ffff }).map(seconds => seconds * 1000),
      { nil: undefined },
    ),
  },
  PLAIN,
);

const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const place = fc.tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 9 }), sequence);

const codecs = suite('queue: encoding on disk');

codecs('an encoded message decodes to the same message, and `recordSize` returns its encoded length', () => {
  fc.assert(
    fc.property(message, wanted => {
      const record = encodeRecord(wanted);
      const found = decodeRecord(record);
      assert.equal({ ...found }, { ...wanted });
      assert.is(recordSize(wanted), record.length);
      const among = Buffer.concat([Buffer.alloc(5, 0xff), record, Buffer.alloc(7, 0xff)]);
      assert.equal(decodeRecord(among, 5, 5 + record.length), found);
    }),
  );
});

/**
 * Records of older versions, before messages from upstream and before several upstreams, with their origins.
 */
const OLD_RECORDS: readonly (readonly [hex: string, origin: Origin])[] = [
  [
    'd59cf39a8c63612f620100666d6f64756c65616d616ff6f6f6f6f64178',
    { kind: 'module', module: 'm', output: 'o' },
  ],
  [
    'd67dff6c8c63612f62010066636c69656e7468757073747265616d60f6f6f6f6f64178',
    { kind: 'client', client: 'upstream' },
  ],
  ['97ebb3f28c63612f62010068757073747265616d6060f6f6f6f6f64178', { kind: 'upstream', upstream: 'upstream' }],
];

codecs('a record of an older version decodes correctly and encodes to the same bytes', () => {
  for (const [hex, origin] of OLD_RECORDS) {
    const found = decodeRecord(Buffer.from(hex, 'hex'));
    assert.equal(found?.origin, origin);
    assert.is(found && encodeRecord(found).toString('hex'), hex);
  }
});

codecs('a record with a changed byte or without its end is detected as damaged', () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (wanted, at, change) => {
      const record = encodeRecord(wanted);
      const index = at % record.length;
      assert.is(decodeRecord(record.subarray(0, index)), undefined);
      record[index] = (record[index] ?? 0) ^ change;
      assert.is(decodeRecord(record), undefined);
    }),
  );
});

codecs('encoded keys sort in the order of the queue', () => {
  fc.assert(
    fc.property(
      place,
      place,
      fc.double({ min: 0, noNaN: true }),
      fc.double({ min: 0, noNaN: true }),
      (a, b, x, y) => {
        const byNumber = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
        assert.is(Math.sign(placeKey(...a).compare(placeKey(...b))), Math.sign(byNumber));
        if (byNumber !== 0)
          assert.is(Math.sign(chunkKey(...a, 9).compare(placeKey(...b))), Math.sign(byNumber));
        assert.is(entriesOf(chunkKey(...a, 9)), 9);
        const found = placeOf(expiryKey(x, ...a), 8);
        assert.equal([found.queue, found.priority, found.sequence], a);
        if (x !== y) assert.is(Math.sign(expiryKey(x, ...a).compare(expiryKey(y, ...b))), Math.sign(x - y));
      },
    ),
  );
});

const SALT = Buffer.from('saltsalt');

const hold = fc.record(
  {
    queue: fc.integer({ min: 0, max: 0xffff_ffff }),
    priority: fc.integer({ min: 0, max: 9 }),
    expires: fc.double({ min: 0, noNaN: true }),
  },
  PLAIN,
);

const append = fc.record(
  {
    sequence,
    arrived: fc.double({ min: 0, noNaN: true }),
    record: fc.uint8Array({ maxLength: 6_000 }).map(bytes => Buffer.from(bytes)),
    holds: fc.array(hold, { maxLength: 3 }),
  },
  PLAIN,
);

type Append = typeof append extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns the blocks of a run that declares a queue and appends `appends`. */
function runOf(salt: Buffer, generation: number, index: number, appends: readonly Append[]): Buffer {
  const bytes = appends.reduce((sum, { record, holds }) => sum + appendSize(record.length, holds.length), 0);
  const draft = draftRun([1.5, [7, 'queue'], [7, 0, 3], ['name', null], [8]], bytes, Buffer.alloc);
  for (const { sequence, arrived, record, holds } of appends) {
    writeAppend(draft, sequence, arrived, record.length, holds.length);
    for (const { queue, priority, expires } of holds) writeHold(draft, queue, priority, expires);
    record.copy(draft.blocks, draft.end);
    draft.end += record.length;
  }
  return sealRun(draft, salt, generation, index);
}

codecs('the journal decoder skips damaged commits, old commits and commits of another store', () => {
  const run = fc.record({
    appends: fc.array(append, { maxLength: 3 }),
    damage: fc.option(fc.nat(), { nil: undefined }),
    own: fc.boolean(),
    generation: fc.integer({ min: 5, max: 7 }),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), runs => {
      const wanted: unknown[] = [];
      const blocks = runs.map(({ appends, damage, own, generation }, index) => {
        const encoded = runOf(own ? SALT : Buffer.from('ANOTHER!'), generation, index, appends);
        assert.is(encoded.length % BLOCK, 0);
        if (damage !== undefined) {
          const at = damage % (28 + encoded.readUInt32BE(20));
          encoded[at] = (encoded[at] ?? 0) ^ 0x10;
        } else if (own && generation > 5) wanted.push({ generation, index, appends });
        return encoded;
      });
      const found = decodeRuns(SALT, 5, Buffer.concat(blocks));
      assert.equal(
        found.map(({ generation, index, content }) => ({ generation, index, appends: content.appends })),
        wanted,
      );
      for (const { content } of found) assert.equal({ ...content, appends: [] }, CHANGED);
    }),
  );
});

const CHANGED = {
  hubTime: 1.5,
  queues: [{ id: 7, name: 'queue' }],
  appends: [],
  removals: [{ queue: 7, priority: 0, sequence: 3 }],
  metadata: [{ name: 'name', value: undefined }],
  retired: [8],
};

codecs('the journal decoder finds no commit in random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000 }), bytes => {
      assert.equal(decodeRuns(SALT, 0, Buffer.from(bytes)), []);
    }),
  );
});

codecs.run();
