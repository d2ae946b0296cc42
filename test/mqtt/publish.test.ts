import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import type { IPublishPacket } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message } from '../../src/core/message.ts';
import { PLAIN } from '../../src/core/message.ts';
import { encodePuback, encodePublish, readPublish } from '../../src/mqtt/publish.ts';

const RUNS = { numRuns: 5_000 };

/** A PUBLISH of MQTT 3.1.1 as mqtt-packet reads it; undefined: it refuses it. */
function oracle(packet: Buffer): IPublishPacket | undefined {
  let found: IPublishPacket | undefined;
  const packets = parser({ protocolVersion: 4 });
  packets.on('packet', one => {
    if (one.cmd === 'publish') found = one;
  });
  packets.on('error', () => {
    found = undefined;
  });
  try {
    return packets.parse(packet) === 0 ? found : undefined;
  } catch {
    return undefined;
  }
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a', 'a/b', 'ü'.repeat(90)),
);
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const packetId = fc.integer({ min: 1, max: 65_535 });
const payload = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes));

function messageOf(topic: string, body: Buffer): Message {
  const origin = { kind: 'client', client: 'c' } as const;
  return { ...PLAIN, topic, body, qos: 0, origin };
}

const publishing = suite('mqtt: PUBLISH');

publishing('is written byte for byte as mqtt-packet writes it', () => {
  const large = fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2_097_152).map(size => Buffer.alloc(size, 7));
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.oneof(payload, large),
      qos,
      packetId,
      fc.boolean(),
      fc.boolean(),
      (topic, body, level, id, again, retain) => {
        const dup = level > 0 && again;
        const dispatch = { topic, qos: level, packetId: level === 0 ? 0 : id, dup, retain };
        const wanted = generate({
          cmd: 'publish',
          topic,
          payload: body,
          qos: level,
          messageId: id,
          dup,
          retain,
        });
        assert.ok(encodePublish(messageOf(topic, body), dispatch).equals(wanted));
      },
    ),
  );
});

publishing('its acknowledgement is written as mqtt-packet writes it', () => {
  fc.assert(
    fc.property(packetId, messageId => {
      assert.ok(encodePuback(messageId).equals(generate({ cmd: 'puback', messageId })));
    }),
  );
});

publishing(
  'whatever comes is read as mqtt-packet reads it, or refused for a reason that it does not look at',
  () => {
    const flags = fc.integer({ min: 0, max: 15 });
    const honest = fc.tuple(text, packetId, payload, fc.boolean()).map(([topic, id, body, identified]) => {
      const name = Buffer.from(topic);
      const length = Buffer.from([name.length >> 8, name.length & 255]);
      const identifier = identified ? Buffer.from([id >> 8, id & 255]) : Buffer.alloc(0);
      return Buffer.concat([length, name, identifier, body]);
    });
    const mutated = fc
      .tuple(honest, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([bytes, at, value, end]) => {
        const changed = Buffer.from(bytes);
        changed[at % changed.length] = value;
        return changed.subarray(0, 1 + (end % changed.length));
      });
    const rest = fc.oneof(honest, mutated, payload).filter(bytes => bytes.length < 16_000);
    fc.assert(
      fc.property(flags, rest, (bits, bytes) => {
        const first = 0x30 | bits;
        const { length } = bytes;
        const header =
          length < 128 ? [first, length] : [first, (length % 128) | 128, Math.floor(length / 128)];
        const packet = Buffer.concat([Buffer.from(header), bytes]);
        const found = readPublish(packet, first, header.length, packet.length);
        const wanted = oracle(packet);
        if (typeof found === 'string') {
          const topic = bytes.subarray(2, 2 + (length < 2 ? 0 : bytes.readUInt16BE(0)));
          const ours = (bits & 0x0e) === 0x08 || wanted?.messageId === 0 || !isUtf8(topic);
          assert.ok(
            wanted === undefined || wanted.messageId === -1 || ours,
            `${found}: ${packet.toString('hex')}`,
          );
          return;
        }
        if (wanted === undefined) return assert.unreachable(packet.toString('hex'));
        const { topic, qos: level, dup, retain, messageId } = wanted;
        assert.equal(
          { ...found, payload: found.payload.toString('hex') },
          {
            cmd: 'publish',
            topic,
            payload: Buffer.from(wanted.payload).toString('hex'),
            qos: level,
            dup,
            retain,
            messageId: messageId ?? 0,
          },
        );
      }),
      RUNS,
    );
  },
);

publishing.run();
