import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createServerFramer } from '../../src/mqtt/server.ts';
import type { Version } from '../../src/mqtt/version.ts';
import { packetOf } from './oracle.ts';

/** Names of the packets that a client sends, and the reason code of the end. */
function fates(packets: readonly Buffer[]): (string | number)[] {
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

const inspection = suite('mqtt: what no client may send');

const [MALFORMED, VIOLATION, UNSUPPORTED] = [0x81, 0x82, 0x84];

type Row = readonly [rule: string, first: number, rest: string, code: number];

/** The rest of a CONNECT: name and version, flags, keep-alive, and what follows. */
function connect(version: Version, flags: number, rest: string): string {
  const protocol = version === 3 ? '\0\x06MQIsdp\x03' : `\0\x04MQTT${String.fromCharCode(version)}`;
  return `${protocol}${String.fromCharCode(flags)}\0\x0a${rest}`;
}

/** A CONNECT of MQTT 5 with properties, and a will's. */
function saying(properties: string, will?: string): string {
  const length = String.fromCharCode(properties.length);
  if (will === undefined) return connect(5, 2, `${length}${properties}\0\0`);
  return connect(5, 6, `${length}${properties}\0\0${String.fromCharCode(will.length)}${will}\0\x01w\0\0`);
}

const CONNECTS: readonly Row[] = [
  ['[MQTT-3.1.0-1] another packet first', 0xc0, '', VIOLATION],
  ['[MQTT-2.1.3-1] flags of CONNECT', 0x11, connect(4, 2, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-1] another protocol', 0x10, '\0\x04HTTP\x04\x02\0\0\0\0', VIOLATION],
  ['[MQTT-3.1.2-1] the name of MQTT 3.1 with version 4', 0x10, '\0\x06MQIsdp\x04\x02\0\0\0\0', UNSUPPORTED],
  ['[MQTT-3.1.2-2] version 3 with the name of 3.1.1', 0x10, '\0\x04MQTT\x03\x02\0\0\0\0', UNSUPPORTED],
  ['[MQTT-3.1.2-2] version 6', 0x10, '\0\x04MQTT\x06\x02\0\0\0\0', UNSUPPORTED],
  ['[MQTT-3.1.2-2] version 6 of a bridge', 0x10, '\0\x04MQTT\x86\x02\0\0\0\0', UNSUPPORTED],
  ['[MQTT-1.5.4-1] a name that is not UTF-8', 0x10, '\0\x04MQT\xff\x04\x02\0\0\0\0', MALFORMED],
  ['cut short in the name', 0x10, '\0\x04MQ', MALFORMED],
  ['cut short before the version', 0x10, '\0\x04MQTT', MALFORMED],
  ['cut short before the flags', 0x10, '\0\x04MQTT\x04', MALFORMED],
  ['cut short in the keep-alive', 0x10, '\0\x04MQTT\x04\x02\0', MALFORMED],
  ['cut short before the client identifier', 0x10, connect(4, 2, ''), MALFORMED],
  ['[MQTT-3.1.2-3] the reserved flag', 0x10, connect(4, 3, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-11] a QoS of no will', 0x10, connect(5, 0x0a, '\0\0\0'), MALFORMED],
  ['[MQTT-3.1.2-13] a retain flag of no will', 0x10, connect(4, 0x22, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-12] a will at QoS 3', 0x10, connect(5, 0x1e, '\0\0\0\0\0\x01w\0\0'), MALFORMED],
  ['3.1.1 [MQTT-3.1.2-14] a will at QoS 3', 0x10, connect(4, 0x1e, '\0\0\0\x01w\0\0'), MALFORMED],
  ['3.1.1 [MQTT-3.1.2-22] a password alone', 0x10, connect(4, 0x42, '\0\0\0\x01p'), MALFORMED],
  ['3.1, 3.1 a password alone', 0x10, connect(3, 0x42, '\0\x01c\0\x01p'), MALFORMED],
  ['[MQTT-3.1.3-4] a client identifier', 0x10, connect(4, 2, '\0\x01\xff'), MALFORMED],
  ['[MQTT-1.5.4-2] a client identifier with U+0000', 0x10, connect(4, 2, '\0\x01\0'), MALFORMED],
  ["[MQTT-3.1.3-11] a will's topic", 0x10, connect(4, 6, '\0\0\0\x01\xff\0\0'), MALFORMED],
  ['a will that is cut short', 0x10, connect(4, 6, '\0\0\0\x01w\0\x02x'), MALFORMED],
  ['[MQTT-3.1.3-12] a user name', 0x10, connect(4, 0x82, '\0\0\0\x01\xff'), MALFORMED],
  ['[MQTT-3.1.2-17] no user name', 0x10, connect(4, 0x82, '\0\0'), MALFORMED],
  ['[MQTT-3.1.2-19] no password', 0x10, connect(4, 0xc2, '\0\0\0\0'), MALFORMED],
  ['bytes left over', 0x10, connect(4, 2, '\0\0x'), MALFORMED],
  ['[MQTT-3.1.2-18] a password that is not announced', 0x10, connect(5, 0x82, '\0\0\0\0\0\0\0'), MALFORMED],
  ['3.1.2.11.2 the session expiry twice', 0x10, saying('\x11\0\0\0\0\x11\0\0\0\0'), VIOLATION],
  ['3.1.2.11.3 a receive maximum of 0', 0x10, saying('\x21\0\0'), VIOLATION],
  ['3.1.2.11.4 a maximum packet size of 0', 0x10, saying('\x27\0\0\0\0'), VIOLATION],
  ['3.1.2.11.6 request response information of 2', 0x10, saying('\x19\x02'), VIOLATION],
  ['3.1.2.11.7 request problem information of 2', 0x10, saying('\x17\x02'), VIOLATION],
  ['3.1.2.11.8 a user property without a value', 0x10, saying('\x26\0\x01a'), MALFORMED],
  ['3.1.2.11.10 authentication data alone', 0x10, saying('\x16\0\x01x'), VIOLATION],
  ["2.2.2.2 a will's property", 0x10, saying('\x01\0'), MALFORMED],
  ['2.2.2.2 a property that there is not', 0x10, saying('\x7f'), MALFORMED],
  ['2.2.2.2 a property of CONNECT in the will', 0x10, saying('', '\x11\0\0\0\0'), MALFORMED],
  ["3.1.3.2.2 the will's delay twice", 0x10, saying('', '\x18\0\0\0\0\x18\0\0\0\0'), VIOLATION],
  ["[MQTT-3.3.2-14] the will's response topic", 0x10, saying('', '\x08\0\x01#'), VIOLATION],
];

for (const [rule, first, rest, code] of CONNECTS) {
  inspection(`CONNECT, ${rule}: ${code.toString(16)}`, () => {
    assert.equal(fates([framed(first, rest)]), [code]);
  });
}

/** After the CONNECT: in version 5, and where it says so in another. */
const LATER: readonly (readonly [...Row, version?: Version])[] = [
  ['2.1.2 the type 0', 0x00, '', MALFORMED],
  ['[MQTT-3.3.4-6] PUBLISH with a subscription identifier', 0x30, '\0\x01a\x02\x0b\x01', VIOLATION],
  ['3.2 CONNACK', 0x20, '\0\0\0', VIOLATION],
  ['3.9 SUBACK', 0x90, '\0\x01\0\0', VIOLATION],
  ['3.11 UNSUBACK', 0xb0, '\0\x01\0\0', VIOLATION],
  ['3.13 PINGRESP', 0xd0, '', VIOLATION],
  ['[MQTT-3.8.1-1] SUBSCRIBE without its flags', 0x80, '\0\x01\0\0\x01a\0', MALFORMED],
  ['[MQTT-3.8.1-1] SUBSCRIBE marked DUP', 0x8a, '\0\x01\0\x01a\0', MALFORMED, 4],
  ['[MQTT-2.2.1-3] SUBSCRIBE with the identifier 0', 0x82, '\0\0\0\0\x01a\0', VIOLATION],
  ['SUBSCRIBE cut short in the identifier', 0x82, '\0', MALFORMED],
  ['SUBSCRIBE without a length of properties', 0x82, '\0\x01', MALFORMED],
  ['[MQTT-3.8.3-2] SUBSCRIBE to nothing', 0x82, '\0\x01\0', VIOLATION],
  ['3.1.1 [MQTT-3.8.3-3] SUBSCRIBE to nothing', 0x82, '\0\x01', VIOLATION, 4],
  ['SUBSCRIBE cut short in a filter', 0x82, '\0\x01\0\0\x02a', MALFORMED],
  ['SUBSCRIBE without options', 0x82, '\0\x01\0\0\x01a', MALFORMED],
  ['[MQTT-3.8.3-1] SUBSCRIBE with another filter than UTF-8', 0x82, '\0\x01\0\0\x01\xff\0', MALFORMED],
  ['[MQTT-1.5.4-2] SUBSCRIBE with U+0000', 0x82, '\0\x01\0\0\x01\0\0', MALFORMED],
  ['[MQTT-3.8.3-5] SUBSCRIBE with bit 6', 0x82, '\0\x01\0\0\x01a\x40', MALFORMED],
  ['[MQTT-3.8.3-5] SUBSCRIBE with bit 7, later', 0x82, '\0\x01\0\0\x01a\0\0\x01b\x80', MALFORMED],
  ['3.1.1 [MQTT-3-8.3-4] SUBSCRIBE with no-local', 0x82, '\0\x01\0\x01a\x04', MALFORMED, 4],
  ['3.8.3.1 SUBSCRIBE at QoS 3', 0x82, '\0\x01\0\0\x01a\x03', VIOLATION],
  ['3.1.1 [MQTT-3-8.3-4] SUBSCRIBE at QoS 3', 0x82, '\0\x01\0\x01a\x03', VIOLATION, 4],
  ['3.8.3.1 SUBSCRIBE with retain handling 3', 0x82, '\0\x01\0\0\x01a\x30', VIOLATION],
  ['[MQTT-3.8.3-4] no-local on a shared subscription', 0x82, '\0\x01\0\0\x0a$share/g/a\x04', VIOLATION],
  ['3.8.2.1.2 SUBSCRIBE with the subscription identifier 0', 0x82, '\0\x01\x02\x0b\0\0\x01a\0', VIOLATION],
  ['3.8.2.1.2 SUBSCRIBE with two of them', 0x82, '\0\x01\x04\x0b\x01\x0b\x02\0\x01a\0', VIOLATION],
  ['[MQTT-1.5.5-1] SUBSCRIBE with one of five bytes', 0x82, '\0\x01\x06\x0b\xff\xff\xff\xff\x01', MALFORMED],
  ['2.2.2.2 SUBSCRIBE with a reason string', 0x82, '\0\x01\x03\x1f\0\0\0\x01a\0', MALFORMED],
  ['[MQTT-3.10.1-1] UNSUBSCRIBE without its flags', 0xa0, '\0\x01\0\0\x01a', MALFORMED],
  ['[MQTT-2.2.1-3] UNSUBSCRIBE with the identifier 0', 0xa2, '\0\0\0\0\x01a', VIOLATION],
  ['[MQTT-3.10.3-2] UNSUBSCRIBE from nothing', 0xa2, '\0\x01\0', VIOLATION],
  ['3.1.1 [MQTT-3.10.3-2] UNSUBSCRIBE from nothing', 0xa2, '\0\x01', VIOLATION, 4],
  ['UNSUBSCRIBE cut short in a filter', 0xa2, '\0\x01\0\0\x02a', MALFORMED],
  ['[MQTT-3.10.3-1] UNSUBSCRIBE with another filter than UTF-8', 0xa2, '\0\x01\0\0\x01\xff', MALFORMED],
  ['2.2.2.2 UNSUBSCRIBE with a subscription identifier', 0xa2, '\0\x01\x02\x0b\x01\0\x01a', MALFORMED],
  ['[MQTT-2.1.3-1] PINGREQ with flags', 0xc1, '', MALFORMED],
  ['3.12.2 PINGREQ with more', 0xc0, 'x', MALFORMED],
  ['[MQTT-3.14.1-1] DISCONNECT with flags', 0xe2, '', MALFORMED],
  ['3.1.1, 3.14.2 DISCONNECT with more', 0xe0, '\0', MALFORMED, 4],
  ['[MQTT-3.14.2-1] DISCONNECT with a reason of a server', 0xe0, '\x8b', VIOLATION],
  ['[MQTT-3.14.2-1] DISCONNECT with a reason of SUBACK', 0xe0, '\x01', VIOLATION],
  ['DISCONNECT with bytes left over', 0xe0, '\0\0\0', MALFORMED],
  ['2.2.2.2 DISCONNECT with a property of CONNECT', 0xe0, '\0\x03\x21\0\x01', MALFORMED],
  ['[MQTT-3.15.1-1] AUTH with flags', 0xf1, '\x18\x03\x15\0\0', MALFORMED],
  ['[MQTT-3.15.2-1] AUTH with a reason of a server', 0xf0, '\0\x03\x15\0\0', VIOLATION],
  ['[MQTT-3.15.2-1] AUTH with nothing, which is success', 0xf0, '', VIOLATION],
  ['3.15.2.2.2 AUTH without a method', 0xf0, '\x18\0', VIOLATION],
  ['3.1.1, 2.2.1 AUTH, which is reserved', 0xf0, '\x18\0', MALFORMED, 4],
];

for (const [rule, first, rest, code, version = 5] of LATER) {
  inspection(`${rule}: ${code.toString(16)}`, () => {
    const hello = framed(0x10, connect(version, 2, version === 5 ? '\0\0\0' : '\0\0'));
    assert.equal(fates([hello, framed(first, rest)]), ['connect', code]);
  });
}

inspection.run();
