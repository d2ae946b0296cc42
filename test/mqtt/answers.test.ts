import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Answer } from '../../src/mqtt/answers/index.ts';
import { readAnswer } from '../../src/mqtt/answers/index.ts';
import type { ProtocolError } from '../../src/mqtt/reasons.ts';
import type { Version } from '../../src/mqtt/version.ts';
import { packetOf } from './oracle.ts';

const answers = suite('mqtt: answers of a server');

function read(packet: Buffer, version: Version): Answer | ProtocolError {
  const bodyAt = packet.findIndex((byte, at) => at > 0 && byte < 128) + 1;
  return readAnswer(packet, packet[0] ?? 0, bodyAt, packet.length, version);
}

const optional = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const text = fc.string({ unit: 'grapheme' }).filter(one => one !== '' && !one.includes('\0'));

answers('the limits of an MQTT 5 server are read from its CONNACK', () => {
  const properties = fc.record({
    receiveMaximum: optional(fc.integer({ min: 1, max: 65_535 })),
    maximumQoS: optional(fc.constantFrom(0, 1)),
    retainAvailable: optional(fc.boolean()),
    maximumPacketSize: optional(fc.integer({ min: 1, max: 0xffff_ffff })),
    serverKeepAlive: optional(fc.integer({ min: 0, max: 65_535 })),
    reasonString: optional(text),
    assignedClientIdentifier: optional(text),
  });
  fc.assert(
    fc.property(properties, fc.boolean(), fc.constantFrom(0, 0x80, 0x87, 0x9f), (wanted, present, code) => {
      const set = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
      const packet = generate(
        { cmd: 'connack', sessionPresent: present, reasonCode: code, properties: set },
        { protocolVersion: 5 },
      );
      assert.equal(read(packet, 5), {
        cmd: 'connack',
        sessionPresent: present,
        reasonCode: code,
        reasonString: wanted.reasonString,
        receiveMaximum: wanted.receiveMaximum ?? 65_535,
        maximumQoS: wanted.maximumQoS ?? 2,
        retainAvailable: wanted.retainAvailable ?? true,
        maximumPacketSize: wanted.maximumPacketSize,
        serverKeepAlive: wanted.serverKeepAlive,
      });
    }),
  );
});

answers('return codes of a CONNACK of MQTT 3.1.1 are read as reason codes of MQTT 5', () => {
  for (const version of [4, 5] as const) {
    const codes = [0, 1, 2, 3, 4, 5, 6].map(code => {
      const answer = read(Buffer.from([0x20, 2, 0, code]), version);
      return 'cmd' in answer && answer.cmd === 'connack' ? answer.reasonCode : answer;
    });
    assert.equal(codes, [0, 0x84, 0x85, 0x88, 0x86, 0x87, 0x80]);
  }
});

answers('SUBACK, UNSUBACK, PINGRESP and DISCONNECT are read with their reason codes', () => {
  for (const version of [4, 5] as const) {
    const suback = generate(
      { cmd: 'suback', messageId: 7, granted: [0, 2, 128] },
      { protocolVersion: version },
    );
    assert.equal(read(suback, version), { cmd: 'suback', messageId: 7, granted: [0, 2, 128] });
    assert.equal(read(Buffer.from([0xd0, 0]), version), { cmd: 'pingresp' });
  }
  assert.equal(read(Buffer.from([0xb0, 2, 0, 9]), 4), { cmd: 'unsuback', messageId: 9, granted: [] });
  const disconnect = generate(
    { cmd: 'disconnect', reasonCode: 0x8b, properties: { reasonString: 'so' } },
    { protocolVersion: 5 },
  );
  assert.equal(read(disconnect, 5), { cmd: 'disconnect', reasonCode: 0x8b, reasonString: 'so' });
  assert.equal(read(Buffer.from([0xe0, 0]), 5), {
    cmd: 'disconnect',
    reasonCode: 0,
    reasonString: undefined,
  });
});

answers('a packet from a server is a protocol error if only clients may send packets of this type', () => {
  for (const [name, packet, version] of [
    ['CONNECT', [0x10, 0], 5],
    ['PINGREQ', [0xc0, 0], 4],
    ['flags of CONNACK', [0x21, 2, 0, 0], 4],
    ['a reserved flag in CONNACK', [0x20, 2, 2, 0], 4],
    ['a CONNACK that is cut short', [0x20, 1, 0], 4],
    ['a CONNACK that is too long', [0x20, 3, 0, 0, 0], 4],
    ['properties longer than the packet', [0x20, 3, 0, 0, 9], 5],
    ['a property of another packet', [0x20, 5, 0, 0, 2, 0x01, 0], 5],
    ['a receive maximum of 0', [0x20, 6, 0, 0, 3, 0x21, 0, 0], 5],
    ['PINGRESP with a body', [0xd0, 1, 0], 4],
    ['DISCONNECT before MQTT 5', [0xe0, 0], 4],
  ] as const) {
    assert.ok('code' in read(Buffer.from(packet), version), name);
  }
});

answers(
  'random bytes from a server are decoded to a packet or a protocol error, without an exception',
  () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0x20, 0x90, 0xb0, 0xd0, 0xe0),
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom<Version>(4, 5),
        (first, rest, version) => {
          const { packet, bodyAt } = packetOf(first, Buffer.from(rest));
          const answer = readAnswer(packet, first, bodyAt, packet.length, version);
          assert.ok('cmd' in answer || 'code' in answer);
        },
      ),
      { numRuns: 20_000 },
    );
  },
);

answers.run();
