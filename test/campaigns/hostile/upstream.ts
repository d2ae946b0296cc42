import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { SeededRandom } from '../../harness/seeded-random.ts';
import type { Role } from './roles.ts';
import { pauseOf } from './roles.ts';

const CONNACK_4 = Buffer.from([0x20, 2, 0, 0]);
const CONNACK_5 = Buffer.from([0x20, 3, 0, 0, 0]);

/** Behaviour of a hostile server on a link after its CONNECT. */
type Misdeed = (socket: Socket, dice: SeededRandom) => void;

const MISDEEDS: readonly [Misdeed, ...Misdeed[]] = [
  // Closes the connection.
  socket => socket.destroy(),
  // Neither sends nor reads.
  socket => socket.pause(),
  // Sends unrequested answers.
  (socket, dice) => {
    const answer = dice.pick([
      [0x90, 3, 0, 1, 0],
      [0xb0, 2, 0, 1],
      [0x40, 2, 0, 9],
      [0x50, 2, 0, 9],
      [0x70, 2, 0, 9],
      [0x62, 2, 0, 9],
    ]);
    socket.write(Buffer.concat(Array.from({ length: 50_000 }, () => Buffer.from(answer))));
  },
  // Sends messages without a subscription.
  (socket, dice) => {
    const body = Buffer.alloc(dice.below(5_000), 0x61);
    const head = Buffer.from([0x30, 0, 0, 4, 0x64, 0x2f, 0x78, 0x79]);
    const length = head.length - 2 + body.length;
    const variable = length < 128 ? [length] : [(length % 128) | 128, length >> 7];
    const whole = Buffer.concat([Buffer.from([0x30, ...variable]), head.subarray(2), body]);
    socket.write(Buffer.concat(Array.from({ length: 500 }, () => whole)));
  },
  // Sends bytes that are not MQTT.
  (socket, dice) => {
    const bytes = Buffer.alloc(3_000);
    for (let at = 0; at < bytes.length; at++) bytes[at] = dice.below(256);
    socket.write(bytes);
  },
  // Sends a packet byte by byte.
  socket => {
    socket.write(Buffer.from([0x30, 0xff, 0xff, 0x3f]));
    const timer = setInterval(() => socket.write('x'), 50);
    socket.once('close', () => clearInterval(timer));
  },
  // Refuses the connection.
  socket => socket.end(Buffer.from([0x20, 2, 0, 5])),
];

/** Milliseconds until a connection is closed. */
const LIFE = 400;

/** An upstream server with another misbehaviour on each connection. */
export const hostileUpstream: Role = async ({ upstreamPort, dice, over }) => {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.once('data', greeting => {
      // The protocol level of a CONNECT follows the protocol name.
      const level = greeting[greeting.indexOf('MQTT') + 4];
      if (!dice.oneIn(5)) socket.write(level === 5 ? CONNACK_5 : CONNACK_4);
      dice.pick(MISDEEDS)(socket, dice);
    });
    setTimeout(() => socket.destroy(), LIFE);
  }).listen(upstreamPort, '127.0.0.1');
  while (!over()) await pauseOf(100);
  server.close();
  for (const socket of sockets) socket.destroy();
};
