import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProtocolError } from '../../src/mqtt/reasons.ts';
import { REASON } from '../../src/mqtt/reasons.ts';
import type { ServerHandler } from '../../src/mqtt/server.ts';
import { createServerFramer } from '../../src/mqtt/server.ts';

const MAX_BYTES = 4096;

const CONNECT = generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clientId: 'first',
  clean: true,
  keepalive: 0,
});

/** Handler that ignores packets and must not get an error. */
const IGNORE: ServerHandler = {
  publish: () => 'read',
  other: () => 'read',
  acknowledged: () => {},
  packet: () => {},
  broken: ({ reason }) => assert.unreachable(reason),
};

type Framed = { readonly packets: object[]; readonly broken: string[] };

/** Returns the packets of a stream that arrives in `chunks` after a CONNECT of MQTT 3.1.1. */
function framed(chunks: readonly Buffer[]): Framed {
  const packets: object[] = [];
  const broken: string[] = [];
  const accept = (packet: object): void => {
    assert.equal(broken, [], 'a packet follows the error');
    packets.push(packet);
  };
  const framer = createServerFramer(MAX_BYTES, MAX_BYTES, {
    publish: () => 'read',
    other: () => 'read',
    acknowledged: (type, packetId, reasonCode) => accept({ type, packetId, reasonCode }),
    packet: packet =>
      accept('payload' in packet ? { ...packet, payload: packet.payload.toString('hex') } : packet),
    broken: ({ reason }) => broken.push(reason),
  });
  framer.push(CONNECT);
  for (const chunk of chunks) framer.push(chunk);
  return { packets: packets.slice(1), broken };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [
    0,
    ...cuts.map(cut => cut % (bytes.length + 1)).sort((one, other) => one - other),
    bytes.length,
  ];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const identifier = fc.integer({ min: 1, max: 65_535 });
const name = fc.constantFrom('a', 'a/b', 'ü', 'x'.repeat(200));
const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array));
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    cmd: fc.constant('connect' as const),
    protocolId: fc.constant('MQTT' as const),
    protocolVersion: fc.constant(4 as const),
    clientId: name,
    clean: fc.constant(true),
    keepalive: fc.nat(65_535),
    will: fc.record({ topic: name, payload: bytes, qos, retain: fc.boolean() }),
    username: name,
    password: bytes,
  }),
  fc.record({
    cmd: fc.constant('publish' as const),
    topic: name,
    payload: bytes,
    qos,
    messageId: identifier,
    dup: fc.constant(false),
    retain: fc.boolean(),
  }),
  fc.record({ cmd: fc.constantFrom('puback' as const, 'pubrec' as const), messageId: identifier }),
  fc.record({
    cmd: fc.constant('subscribe' as const),
    messageId: identifier,
    subscriptions: fc.array(fc.record({ topic: name, qos }), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    cmd: fc.constant('unsubscribe' as const),
    messageId: identifier,
    unsubscriptions: fc.array(name, { minLength: 1, maxLength: 5 }),
  }),
  fc.constantFrom<Packet>({ cmd: 'pingreq' }, { cmd: 'disconnect' }),
);

const framing = suite('mqtt: framing');

framing('the framer returns the same packets, however the stream is split into chunks', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 10 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(one => generate(one)));
      const whole = framed([stream]);
      assert.equal(whole.broken, []);
      assert.is(whole.packets.length, sent.length);
      assert.equal(framed(split(stream, cuts)), whole);
      assert.equal(framed(Array.from(stream, byte => Buffer.of(byte))), whole);
    }),
    { numRuns: 500 },
  );
});

framing('random bytes and mutated packets never make the framer throw', () => {
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

function publishOf(payloadBytes: number): Buffer {
  const payload = Buffer.alloc(payloadBytes);
  return generate({ cmd: 'publish', topic: 'a', payload, qos: 0, dup: false, retain: false });
}

framing(
  'a packet above the maximum size is refused after its header, before the body of the packet arrives',
  () => {
    const largest = publishOf(MAX_BYTES - 6);
    assert.is(largest.length, MAX_BYTES);
    assert.is(framed([largest]).packets.length, 1);
    const header = publishOf(MAX_BYTES - 5).subarray(0, 3);
    assert.match(framed([header]).broken.join(), /larger than 4096 bytes/);
  },
);

framing('a packet that arrives byte by byte is read completely', () => {
  const publish = publishOf(MAX_BYTES - 6);
  const { packets, broken } = framed(Array.from(publish, byte => Buffer.of(byte)));
  assert.equal([packets.length, broken], [1, []]);
});

framing('a packet that ends before its packet identifier is refused', () => {
  for (const type of [0x40, 0x50, 0x62, 0x70, 0xb0]) {
    const { packets, broken } = framed([Buffer.from([type, 1, 5])]);
    assert.equal([packets.length, broken.length], [0, 1], String(type));
  }
});

framing('a Remaining Length of five bytes is refused', () => {
  assert.match(framed([Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])]).broken.join(), /length/);
});

framing('a CONNECT with an unknown protocol version is refused with 0x84, not as a malformed packet', () => {
  const connectOf = (version: string): Buffer =>
    Buffer.from(`\x10\x0c\x00\x04MQTT${version}\x02\x00\x00\x00\x00`, 'latin1');
  const codes: number[] = [];
  for (const stream of [connectOf('\x06'), connectOf('\x04').fill(0xff, 12), Buffer.from([0, 0])]) {
    const broken = ({ code }: ProtocolError): void => void codes.push(code);
    createServerFramer(MAX_BYTES, MAX_BYTES, { ...IGNORE, broken }).push(stream);
  }
  assert.equal(codes, [REASON.unsupportedProtocolVersion, REASON.malformedPacket, REASON.malformedPacket]);
});

framing('an exception of the packet handler is thrown to the caller and does not end the stream', () => {
  let packets = 0;
  const framer = createServerFramer(MAX_BYTES, MAX_BYTES, {
    ...IGNORE,
    packet: () => {
      if (++packets === 2) throw new TypeError('of the receiver');
    },
  });
  const ping = generate({ cmd: 'pingreq' });
  framer.push(CONNECT);
  assert.throws(() => framer.push(Buffer.concat([ping, ping.subarray(0, 1)])), /of the receiver/);
  framer.push(ping.subarray(1));
  assert.is(packets, 3);
});

framing.run();
