import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { SeededRandom } from '../../harness/seeded-random.ts';
import type { Role } from './roles.ts';
import { limitOpen, pauseOf } from './roles.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function upgrade(headers: readonly string[]): string {
  return [
    'GET /mqtt HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    ...headers,
    '',
    '',
  ].join('\r\n');
}

const OPEN = upgrade([`Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Protocol: mqtt']);

/** A masked frame (RFC 6455, 5.2); the mask is 0. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const size =
    length < 126 ? Buffer.from([0x80 | length]) : Buffer.from([0x80 | 126, length >> 8, length & 255]);
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, Buffer.alloc(4), payload]);
}

/** Requests of a hostile web page. */
const REQUESTS: readonly [
  (dice: SeededRandom) => (string | Buffer)[],
  ...((dice: SeededRandom) => (string | Buffer)[])[],
] = [
  () => ['GET / HTTP/1.1\r\nHost: x\r\n'],
  () => [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`],
  () => [
    upgrade(['Origin: http://evil.example', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Protocol: mqtt']),
  ],
  () => [upgrade([])],
  () => [OPEN, frame(1, Buffer.from('text'))],
  () => [OPEN, ...Array.from({ length: 200 }, () => frame(9, Buffer.alloc(100)))],
  dice => [OPEN, frame(2, randomBytes(1 + dice.below(5_000)))],
  () => [OPEN, Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0])],
  dice => [OPEN, randomBytes(1 + dice.below(500))],
];

/** Web pages and other HTTP clients at the WebSocket listener and the TLS listener. */
export const hostilePages: Role = async ({ webPort, tlsPort, dice, over }) => {
  const open = limitOpen(40);
  while (!over()) {
    const socket = connect(dice.oneIn(3) ? tlsPort : webPort, '127.0.0.1').on('error', () => {});
    socket.resume();
    for (const bytes of dice.pick(REQUESTS)(dice)) socket.write(bytes);
    open.add(() => socket.destroy());
    await pauseOf(30);
  }
  open.end();
};
