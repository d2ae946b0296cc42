import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message, Origin } from '../../src/core/message.ts';
import { NO_PROPERTIES } from '../../src/core/message.ts';
import { decodeEntry, encodeEntry, entryKey, expiryKey, placeOf } from '../../src/queue/disk/layout.ts';
import { decodeRecord, encodeRecord, recordSize } from '../../src/queue/disk/record.ts';
import { BLOCK, decodeRuns, encodeRun } from '../../src/queue/disk/run.ts';

/** Objects as programs write them. */
const PLAIN = { noNullPrototype: true } as const;

const origin: fc.Arbitrary<Origin> = fc.oneof(
  fc.record({ kind: fc.constant('module' as const), module: fc.string(), output: fc.string() }, PLAIN),
  fc.record({ kind: fc.constant('client' as const), client: fc.string({ unit: 'grapheme' }) }, PLAIN),
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
      fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' }), PLAIN),
    ),
    contentType: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    ttl: fc.constant(undefined),
  },
  PLAIN,
);

const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const place = fc.tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 9 }), sequence);

const codecs = suite('queue: what lies on disk');

codecs('a message comes back as it was, and its size is known near enough beforehand', () => {
  fc.assert(
    fc.property(message, wanted => {
      const record = encodeRecord(wanted);
      const found = decodeRecord(record);
      assert.equal(
        { ...found, properties: { ...found?.properties } },
        { ...wanted, properties: { ...wanted.properties } },
      );
      const properties = Object.keys(wanted.properties).length;
      assert.ok(Math.abs(recordSize(wanted) - record.length) <= 24 + 4 * properties);
    }),
  );
});

codecs('a record with any byte changed, or cut anywhere, is damaged and nothing else', () => {
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

codecs('an entry comes back as it was; with any byte of its header changed it is damaged', () => {
  const moment = fc.double({ min: 0, noNaN: true });
  const header = fc.record({
    expires: moment,
    ceiling: moment,
    arrived: moment,
    bytes: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  fc.assert(
    fc.property(header, fc.uint8Array(), fc.nat(31), (wanted, body, at) => {
      const record = body.length === 0 ? undefined : Buffer.from(body);
      const value = encodeEntry(wanted, record);
      assert.equal(decodeEntry(value), { ...wanted, record });
      value[at] = (value[at] ?? 0) ^ 1;
      assert.is(decodeEntry(value), undefined);
    }),
  );
});

codecs("the order of keys is the queue's order, and a place comes back from its key", () => {
  fc.assert(
    fc.property(
      place,
      place,
      fc.double({ min: 0, noNaN: true }),
      fc.double({ min: 0, noNaN: true }),
      (a, b, x, y) => {
        const byNumber = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
        assert.is(Math.sign(entryKey(...a).compare(entryKey(...b))), Math.sign(byNumber));
        const found = placeOf(expiryKey(x, ...a), 8);
        assert.equal([found.queue, found.priority, found.sequence], a);
        if (x !== y) assert.is(Math.sign(expiryKey(x, ...a).compare(expiryKey(y, ...b))), Math.sign(x - y));
      },
    ),
  );
});

const SALT = Buffer.from('saltsalt');

/** A run's content with `text` as the name of its only queue. */
function contentOf(text: string, encode: (value: unknown) => Buffer): Buffer {
  return encode([1, [1, text], [], [], [], []]);
}

codecs(
  'runs come back from a journal, but for those whose blocks are damaged and those of another store',
  async () => {
    const { encode } = await import('../../src/queue/disk/record.ts');
    const run = fc.record({
      bytes: fc.nat(10_000),
      damage: fc.option(fc.nat(), { nil: undefined }),
      own: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 6 }), runs => {
        const whole: number[] = [];
        const blocks = runs.map(({ bytes, damage, own }, index) => {
          const content = contentOf('x'.repeat(bytes), encode);
          const encoded = encodeRun(own ? SALT : Buffer.from('ANOTHER!'), 7, index, content);
          assert.is(encoded.length % BLOCK, 0);
          if (damage !== undefined) {
            const at = damage % (28 + content.length);
            encoded[at] = (encoded[at] ?? 0) ^ 0x10;
          } else if (own) whole.push(index);
          return encoded;
        });
        const found = decodeRuns(SALT, Buffer.concat(blocks));
        assert.equal(
          found.map(({ index }) => index),
          whole,
        );
        for (const { index, content } of found) assert.is(content.queues[0]?.name.length, runs[index]?.bytes);
      }),
    );
  },
);

codecs('a journal of anything at all gives no runs and does not throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000 }), bytes => {
      assert.equal(decodeRuns(SALT, Buffer.from(bytes)), []);
    }),
  );
});

codecs.run();
