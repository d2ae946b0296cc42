import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFramer } from '../../src/mqtt/framing.ts';

const MAX_BYTES = 4096;

/** What comes of a stream that arrives in `chunks`. */
function framed(chunks: readonly Buffer[]): { packets: Packet[]; broken: string[] } {
  const packets: Packet[] = [];
  const broken: string[] = [];
  const framer = createFramer(MAX_BYTES, {
    packet: packet => {
      assert.equal(broken, [], 'nothing comes after the end');
      packets.push(packet);
    },
    broken: reason => broken.push(reason),
  });
  for (const chunk of chunks) framer.push(chunk);
  return { packets, broken };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [
    0,
    ...cuts.map(cut => cut % (bytes.length + 1)).sort((one, other) => one - other),
    bytes.length,
  ];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    cmd: fc.constant('publish' as const),
    topic: fc.constantFrom('a', 'a/b', 'ü'),
    payload: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
    qos: fc.constantFrom<0 | 1>(0, 1),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    dup: fc.constant(false),
    retain: fc.boolean(),
  }),
  fc.record({ cmd: fc.constant('puback' as const), messageId: fc.integer({ min: 1, max: 65_535 }) }),
  fc.constant<Packet>({ cmd: 'pingreq' }),
);

const framing = suite('mqtt: framing');

framing('packets do not depend on where the chunks end', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 10 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(one => generate(one)));
      const whole = framed([stream]);
      const pieces = framed(split(stream, cuts));
      assert.equal(whole.packets.length, sent.length);
      assert.equal(pieces, whole);
    }),
    { numRuns: 500 },
  );
});

framing('bytes at random, or a packet with some of them changed, never throw', () => {
  const mutated = fc
    .tuple(packet, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }))
    .map(([one, changes]) => {
      const bytes = generate(one);
      for (const [place, value] of changes) bytes[place % bytes.length] = value;
      return bytes;
    });
  const noise = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(fc.oneof(noise, mutated), { maxLength: 6 }), chunks => {
      assert.ok(framed(chunks).broken.length <= 1);
    }),
    { numRuns: 20_000 },
  );
});

framing('a packet over the limit is refused by its header, before its body comes', () => {
  const header = generate({
    cmd: 'publish',
    topic: 'a',
    payload: Buffer.alloc(MAX_BYTES),
    qos: 0,
    dup: false,
    retain: false,
  });
  assert.match(framed([header.subarray(0, 3)]).broken.join(), /larger than 4096 bytes/);
});

framing('a remaining length of five bytes is refused', () => {
  assert.match(framed([Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])]).broken.join(), /length/);
});

framing('what the receiver of a packet throws is not taken for a fault of the stream', () => {
  const framer = createFramer(MAX_BYTES, {
    packet: () => {
      throw new TypeError('of the receiver');
    },
    broken: reason => assert.unreachable(reason),
  });
  assert.throws(() => framer.push(generate({ cmd: 'pingreq' })), /of the receiver/);
});

framing.run();
