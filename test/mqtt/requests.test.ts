import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createServerFramer } from '../../src/mqtt/server.ts';
import type { Version } from '../../src/mqtt/version.ts';
import { packetOf } from './oracle.ts';

/** Returns the names of the accepted packets, and the reason code of the error. */
function outcomes(packets: readonly Buffer[]): (string | number)[] {
  const found: (string | number)[] = [];
  const framer = createServerFramer(4096, 4096, {
    publish: () => 'read',
    other: () => 'read',
    acknowledged: type => found.push(type),
    packet: ({ cmd }) => found.push(cmd),
    broken: ({ code }) => found.push(code),
  });
  for (const packet of packets) framer.push(packet);
  return found;
}

function framed(first: number, rest: string): Buffer {
  return packetOf(first, Buffer.from(rest, 'latin1')).packet;
}

const inspection = suite('mqtt: invalid requests');

const [MALFORMED, VIOLATION, UNSUPPORTED] = [0x81, 0x82, 0x84];

type Row = readonly [rule: string, first: number, rest: string, code: number];

/** Returns the body of a CONNECT: protocol name and version, flags, keep-alive and `rest`. */
function connect(version: Version, flags: number, rest: string): string {
  const protocol = version === 3 ? '\0\x06MQIsdp\x03' : `\0\x04MQTT${String.fromCharCode(version)}`;
  return `${protocol}${String.fromCharCode(flags)}\0\x0a${rest}`;
}

/** Returns the body of an MQTT 5 CONNECT with properties, and with a will if its properties are given. */
function connectWith(properties: string, will?: string): string {
  const length = String.fromCharCode(properties.length);
  if (will === undefined) return connect(5, 2, `${length}${properties}\0\0`);
  return connect(5, 6, `${length}${properties}\0\0${String.fromCharCode(will.length)}${will}\0\x01w\0\0`);
}

const CONNECTS: readonly Row[] = [
  ['[MQTT-3.1.0-1] a PINGREQ before CONNECT', 0xc0, '', VIOLATION],
  ['[MQTT-2.1.3-1] a CONNECT with flags in its fixed header', 0x11, connect(4, 2, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-1] a CONNECT of another protocol', 0x10, '\0\x04HTTP\x04\x02\0\0\0\0', VIOLATION],
  [
    '[MQTT-3.1.2-1] a CONNECT with the name of MQTT 3.1 and version 4',
    0x10,
    '\0\x06MQIsdp\x04\x02\0\0\0\0',
    UNSUPPORTED,
  ],
  [
    '[MQTT-3.1.2-2] a CONNECT with the name of MQTT 3.1.1 and version 3',
    0x10,
    '\0\x04MQTT\x03\x02\0\0\0\0',
    UNSUPPORTED,
  ],
  ['[MQTT-3.1.2-2] a CONNECT with version 6', 0x10, '\0\x04MQTT\x06\x02\0\0\0\0', UNSUPPORTED],
  ['[MQTT-3.1.2-2] a CONNECT of a bridge with version 6', 0x10, '\0\x04MQTT\x86\x02\0\0\0\0', UNSUPPORTED],
  [
    '[MQTT-1.5.4-1] a CONNECT with a protocol name that is not UTF-8',
    0x10,
    '\0\x04MQT\xff\x04\x02\0\0\0\0',
    MALFORMED,
  ],
  ['a CONNECT cut short in the protocol name', 0x10, '\0\x04MQ', MALFORMED],
  ['a CONNECT cut short before the version', 0x10, '\0\x04MQTT', MALFORMED],
  ['a CONNECT cut short before the flags', 0x10, '\0\x04MQTT\x04', MALFORMED],
  ['a CONNECT cut short in the keep-alive', 0x10, '\0\x04MQTT\x04\x02\0', MALFORMED],
  ['a CONNECT cut short before the client identifier', 0x10, connect(4, 2, ''), MALFORMED],
  ['[MQTT-3.1.2-3] a CONNECT with the reserved flag', 0x10, connect(4, 3, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-11] a CONNECT with a will QoS and no will', 0x10, connect(5, 0x0a, '\0\0\0'), MALFORMED],
  ['[MQTT-3.1.2-13] a CONNECT with Will Retain and no will', 0x10, connect(4, 0x22, '\0\0'), MALFORMED],
  [
    '[MQTT-3.1.2-12] a CONNECT with a will at QoS 3',
    0x10,
    connect(5, 0x1e, '\0\0\0\0\0\x01w\0\0'),
    MALFORMED,
  ],
  [
    '[MQTT 3.1.1] [MQTT-3.1.2-14] a CONNECT with a will at QoS 3',
    0x10,
    connect(4, 0x1e, '\0\0\0\x01w\0\0'),
    MALFORMED,
  ],
  [
    '[MQTT 3.1.1] [MQTT-3.1.2-22] a CONNECT with a password and no user name',
    0x10,
    connect(4, 0x42, '\0\0\0\x01p'),
    MALFORMED,
  ],
  [
    '[MQTT 3.1, 3.1] a CONNECT with a password and no user name',
    0x10,
    connect(3, 0x42, '\0\x01c\0\x01p'),
    MALFORMED,
  ],
  [
    '[MQTT-3.1.3-4] a CONNECT with a client identifier that is not UTF-8',
    0x10,
    connect(4, 2, '\0\x01\xff'),
    MALFORMED,
  ],
  [
    '[MQTT-1.5.4-2] a CONNECT with U+0000 in its client identifier',
    0x10,
    connect(4, 2, '\0\x01\0'),
    MALFORMED,
  ],
  [
    '[MQTT-3.1.3-11] a CONNECT with a will topic that is not UTF-8',
    0x10,
    connect(4, 6, '\0\0\0\x01\xff\0\0'),
    MALFORMED,
  ],
  ['a CONNECT cut short in its will', 0x10, connect(4, 6, '\0\0\0\x01w\0\x02x'), MALFORMED],
  [
    '[MQTT-3.1.3-12] a CONNECT with a user name that is not UTF-8',
    0x10,
    connect(4, 0x82, '\0\0\0\x01\xff'),
    MALFORMED,
  ],
  ['[MQTT-3.1.2-17] a CONNECT without its announced user name', 0x10, connect(4, 0x82, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-19] a CONNECT without its announced password', 0x10, connect(4, 0xc2, '\0\0\0\0'), MALFORMED],
  ['a CONNECT with extra bytes', 0x10, connect(4, 2, '\0\0x'), MALFORMED],
  [
    '[MQTT-3.1.2-18] a CONNECT with a password that is not announced',
    0x10,
    connect(5, 0x82, '\0\0\0\0\0\0\0'),
    MALFORMED,
  ],
  [
    '[3.1.2.11.2] a CONNECT with Session Expiry Interval twice',
    0x10,
    connectWith('\x11\0\0\0\0\x11\0\0\0\0'),
    VIOLATION,
  ],
  ['[3.1.2.11.3] a CONNECT with Receive Maximum 0', 0x10, connectWith('\x21\0\0'), VIOLATION],
  ['[3.1.2.11.4] a CONNECT with Maximum Packet Size 0', 0x10, connectWith('\x27\0\0\0\0'), VIOLATION],
  ['[3.1.2.11.6] a CONNECT with Request Response Information 2', 0x10, connectWith('\x19\x02'), VIOLATION],
  ['[3.1.2.11.7] a CONNECT with Request Problem Information 2', 0x10, connectWith('\x17\x02'), VIOLATION],
  [
    '[3.1.2.11.8] a CONNECT with a user property without a value',
    0x10,
    connectWith('\x26\0\x01a'),
    MALFORMED,
  ],
  [
    '[3.1.2.11.10] a CONNECT with authentication data and no method',
    0x10,
    connectWith('\x16\0\x01x'),
    VIOLATION,
  ],
  ['[2.2.2.2] a CONNECT with a property of a will', 0x10, connectWith('\x01\0'), MALFORMED],
  ['[2.2.2.2] a CONNECT with an unknown property', 0x10, connectWith('\x7f'), MALFORMED],
  ['[2.2.2.2] a will with a property of CONNECT', 0x10, connectWith('', '\x11\0\0\0\0'), MALFORMED],
  [
    '[3.1.3.2.2] a will with Will Delay Interval twice',
    0x10,
    connectWith('', '\x18\0\0\0\0\x18\0\0\0\0'),
    VIOLATION,
  ],
  [
    '[MQTT-3.3.2-14] a will with a wildcard in its response topic',
    0x10,
    connectWith('', '\x08\0\x01#'),
    VIOLATION,
  ],
];

for (const [rule, first, rest, code] of CONNECTS) {
  inspection(`${rule} is refused with 0x${code.toString(16)}`, () => {
    assert.equal(outcomes([framed(first, rest)]), [code]);
  });
}

/** Invalid packets after CONNECT, in MQTT 5 if the row has no version. */
const LATER: readonly (readonly [...Row, version?: Version])[] = [
  ['[2.1.2] a packet of type 0', 0x00, '', MALFORMED],
  ['[MQTT-3.3.4-6] a PUBLISH with a subscription identifier', 0x30, '\0\x01a\x02\x0b\x01', VIOLATION],
  ['[3.2] a CONNACK of a client', 0x20, '\0\0\0', VIOLATION],
  ['[3.9] a SUBACK of a client', 0x90, '\0\x01\0\0', VIOLATION],
  ['[3.11] an UNSUBACK of a client', 0xb0, '\0\x01\0\0', VIOLATION],
  ['[3.13] a PINGRESP of a client', 0xd0, '', VIOLATION],
  ['[MQTT-3.8.1-1] a SUBSCRIBE without its flags', 0x80, '\0\x01\0\0\x01a\0', MALFORMED],
  ['[MQTT-3.8.1-1] a SUBSCRIBE with DUP', 0x8a, '\0\x01\0\x01a\0', MALFORMED, 4],
  ['[MQTT-2.2.1-3] a SUBSCRIBE with packet identifier 0', 0x82, '\0\0\0\0\x01a\0', VIOLATION],
  ['a SUBSCRIBE cut short in the packet identifier', 0x82, '\0', MALFORMED],
  ['a SUBSCRIBE without a property length', 0x82, '\0\x01', MALFORMED],
  ['[MQTT-3.8.3-2] a SUBSCRIBE without filters', 0x82, '\0\x01\0', VIOLATION],
  ['[MQTT 3.1.1] [MQTT-3.8.3-3] a SUBSCRIBE without filters', 0x82, '\0\x01', VIOLATION, 4],
  ['a SUBSCRIBE cut short in a filter', 0x82, '\0\x01\0\0\x02a', MALFORMED],
  ['a SUBSCRIBE without options', 0x82, '\0\x01\0\0\x01a', MALFORMED],
  ['[MQTT-3.8.3-1] a SUBSCRIBE with a filter that is not UTF-8', 0x82, '\0\x01\0\0\x01\xff\0', MALFORMED],
  ['[MQTT-1.5.4-2] a SUBSCRIBE with U+0000', 0x82, '\0\x01\0\0\x01\0\0', MALFORMED],
  ['[MQTT-3.8.3-5] a SUBSCRIBE with option bit 6', 0x82, '\0\x01\0\0\x01a\x40', MALFORMED],
  [
    '[MQTT-3.8.3-5] a SUBSCRIBE with option bit 7 in its second filter',
    0x82,
    '\0\x01\0\0\x01a\0\0\x01b\x80',
    MALFORMED,
  ],
  ['[MQTT 3.1.1] [MQTT-3-8.3-4] a SUBSCRIBE with No Local', 0x82, '\0\x01\0\x01a\x04', MALFORMED, 4],
  ['[3.8.3.1] a SUBSCRIBE at QoS 3', 0x82, '\0\x01\0\0\x01a\x03', VIOLATION],
  ['[MQTT 3.1.1] [MQTT-3-8.3-4] a SUBSCRIBE at QoS 3', 0x82, '\0\x01\0\x01a\x03', VIOLATION, 4],
  ['[3.8.3.1] a SUBSCRIBE with Retain Handling 3', 0x82, '\0\x01\0\0\x01a\x30', VIOLATION],
  [
    '[MQTT-3.8.3-4] a SUBSCRIBE with No Local on a shared subscription',
    0x82,
    '\0\x01\0\0\x0a$share/g/a\x04',
    VIOLATION,
  ],
  [
    '[3.8.2.1.2] a SUBSCRIBE with the subscription identifier 0',
    0x82,
    '\0\x01\x02\x0b\0\0\x01a\0',
    VIOLATION,
  ],
  [
    '[3.8.2.1.2] a SUBSCRIBE with two subscription identifiers',
    0x82,
    '\0\x01\x04\x0b\x01\x0b\x02\0\x01a\0',
    VIOLATION,
  ],
  [
    '[MQTT-1.5.5-1] a SUBSCRIBE with a subscription identifier of five bytes',
    0x82,
    '\0\x01\x06\x0b\xff\xff\xff\xff\x01',
    MALFORMED,
  ],
  ['[2.2.2.2] a SUBSCRIBE with a reason string', 0x82, '\0\x01\x03\x1f\0\0\0\x01a\0', MALFORMED],
  ['[MQTT-3.10.1-1] an UNSUBSCRIBE without its flags', 0xa0, '\0\x01\0\0\x01a', MALFORMED],
  ['[MQTT-2.2.1-3] an UNSUBSCRIBE with packet identifier 0', 0xa2, '\0\0\0\0\x01a', VIOLATION],
  ['[MQTT-3.10.3-2] an UNSUBSCRIBE without filters', 0xa2, '\0\x01\0', VIOLATION],
  ['[MQTT 3.1.1] [MQTT-3.10.3-2] an UNSUBSCRIBE without filters', 0xa2, '\0\x01', VIOLATION, 4],
  ['an UNSUBSCRIBE cut short in a filter', 0xa2, '\0\x01\0\0\x02a', MALFORMED],
  ['[MQTT-3.10.3-1] an UNSUBSCRIBE with a filter that is not UTF-8', 0xa2, '\0\x01\0\0\x01\xff', MALFORMED],
  ['[2.2.2.2] an UNSUBSCRIBE with a subscription identifier', 0xa2, '\0\x01\x02\x0b\x01\0\x01a', MALFORMED],
  ['[MQTT-2.1.3-1] a PINGREQ with flags', 0xc1, '', MALFORMED],
  ['[3.12.2] a PINGREQ with a body', 0xc0, 'x', MALFORMED],
  ['[MQTT-3.14.1-1] a DISCONNECT with flags', 0xe2, '', MALFORMED],
  ['[MQTT 3.1.1, 3.14.2] a DISCONNECT with a body', 0xe0, '\0', MALFORMED, 4],
  ['[MQTT-3.14.2-1] a DISCONNECT with a reason code of a server', 0xe0, '\x8b', VIOLATION],
  ['[MQTT-3.14.2-1] a DISCONNECT with a reason code of SUBACK', 0xe0, '\x01', VIOLATION],
  ['a DISCONNECT with extra bytes', 0xe0, '\0\0\0', MALFORMED],
  ['[2.2.2.2] a DISCONNECT with a property of CONNECT', 0xe0, '\0\x03\x21\0\x01', MALFORMED],
  ['[MQTT-3.15.1-1] an AUTH with flags', 0xf1, '\x18\x03\x15\0\0', MALFORMED],
  ['[MQTT-3.15.2-1] an AUTH with a reason code of a server', 0xf0, '\0\x03\x15\0\0', VIOLATION],
  ['[MQTT-3.15.2-1] an AUTH without a reason code, which means success,', 0xf0, '', VIOLATION],
  ['[3.15.2.2.2] an AUTH without a method', 0xf0, '\x18\0', VIOLATION],
  ['[MQTT 3.1.1, 2.2.1] a packet of the reserved type 15', 0xf0, '\x18\0', MALFORMED, 4],
];

for (const [rule, first, rest, code, version = 5] of LATER) {
  inspection(`${rule} is refused with 0x${code.toString(16)}`, () => {
    const hello = framed(0x10, connect(version, 2, version === 5 ? '\0\0\0' : '\0\0'));
    assert.equal(outcomes([hello, framed(first, rest)]), ['connect', code]);
  });
}

inspection.run();
