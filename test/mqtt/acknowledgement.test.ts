import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodeAcknowledgement,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  readAcknowledgement,
} from '../../src/mqtt/acknowledgement.ts';
import type { Version } from '../../src/mqtt/version.ts';
import { ORACLE_RUNS, oracle, packetOf } from './oracle.ts';

const COMMANDS = {
  [PUBACK]: 'puback',
  [PUBREC]: 'pubrec',
  [PUBREL]: 'pubrel',
  [PUBCOMP]: 'pubcomp',
} as const;

const type = fc.constantFrom<keyof typeof COMMANDS>(PUBACK, PUBREC, PUBREL, PUBCOMP);
const packetId = fc.integer({ min: 1, max: 65_535 });
const level = fc.constantFrom<Version>(4, 5);

/** Parsed packet or its protocol error. */
function read(first: number, rest: Buffer, version: Version): number[] | string {
  const { packet, bodyAt } = packetOf(first, rest);
  let found: number[] = [];
  const wrong = readAcknowledgement(packet, first, bodyAt, packet.length, version, (...args) => {
    found = args;
  });
  return wrong?.reason ?? found;
}

const acknowledging = suite('mqtt: acknowledgements');

acknowledging(
  'an acknowledgement is encoded to the same bytes as by mqtt-packet and decodes to the original values',
  () => {
    const code = fc.constantFrom(0, 0x10, 0x80, 0x97);
    fc.assert(
      fc.property(type, packetId, level, code, (kind, messageId, version, wanted) => {
        const released = kind === PUBREL || kind === PUBCOMP;
        const reasonCode = version < 5 ? 0 : released && wanted > 0 ? 0x92 : wanted;
        const written = encodeAcknowledgement(kind, messageId, reasonCode, version);
        const theirs = generate({ cmd: COMMANDS[kind], messageId, reasonCode }, { protocolVersion: version });
        // In MQTT 5, mqtt-packet also writes optional parts: success, and a property length of 0 (3.4.2.1,
        // 3.4.2.2.1).
        if (version < 5) assert.ok(written.equals(theirs), theirs.toString('hex'));
        assert.is(oracle(written, version)?.messageId, messageId);
        assert.equal(read(kind, written.subarray(2), version), [kind, messageId, reasonCode]);
        assert.is(read(kind, theirs.subarray(2), version)?.toString(), `${kind},${messageId},${reasonCode}`);
      }),
    );
  },
);

/** Reasons for which the hub refuses packets that mqtt-packet accepts. */
const STRICTER = [
  'an acknowledgement has no packet identifier',
  'an acknowledgement has wrong flags',
  'an acknowledgement has a wrong length',
  'an acknowledgement has bytes after its last field',
  'a packet is truncated',
  'a string is not UTF-8 or contains a character that MQTT forbids',
  'the properties are longer than the packet',
  'a variable byte integer has more bytes than necessary',
  'it has a property that is not allowed in this packet',
];

acknowledging(
  'an acknowledgement decodes as in mqtt-packet, or is refused by a rule that mqtt-packet does not check',
  () => {
    const properties = fc.constantFrom<readonly number[]>(
      [],
      [0],
      [5, 0x1f, 0, 2, 65, 66],
      [7, 0x26, 0, 1, 65, 0, 1, 66],
    );
    const valid = fc
      .tuple(packetId, fc.constantFrom(0, 0x10, 0x80, 0x92, 0x97, 0x55), properties)
      .map(([id, code, rest]) => Buffer.from([id >> 8, id & 255, code, ...rest]));
    const changed = fc
      .tuple(valid, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([bytes, at, value, end]) => {
        const copy = Buffer.from(bytes);
        copy[at % copy.length] = value;
        return copy.subarray(0, 1 + (end % copy.length));
      });
    const flags = fc.constantFrom(0, 0, 0, 2, 8);
    let whole = 0;
    fc.assert(
      fc.property(type, flags, fc.oneof(valid, changed), level, (kind, bits, rest, version) => {
        const first = kind ^ bits;
        const found = read(first, rest, version);
        const wanted = oracle(packetOf(first, rest).packet, version);
        if (typeof found === 'string') {
          const code = found.startsWith('an acknowledgement has the invalid reason code');
          assert.ok(
            wanted === undefined || code || STRICTER.includes(found) || found.includes('twice'),
            found,
          );
          return;
        }
        whole++;
        if (wanted === undefined) return assert.unreachable(rest.toString('hex'));
        const theirs = 'reasonCode' in wanted && version === 5 ? (wanted.reasonCode ?? 0) : 0;
        assert.equal(found, [kind, wanted.messageId, theirs]);
      }),
      ORACLE_RUNS,
    );
    assert.ok(whole > ORACLE_RUNS.numRuns / 20, `only ${whole} were read`);
  },
);

acknowledging.run();
