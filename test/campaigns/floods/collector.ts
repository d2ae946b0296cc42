import { createServer } from 'node:net';
import { encodeAcknowledgement, PUBACK } from '../../../src/mqtt/acknowledgement.ts';
import { encodeConnack } from '../../../src/mqtt/packets.ts';
import { createServerFramer } from '../../../src/mqtt/server.ts';

/*
 * collector.ts <port> <publishers>: an upstream server that acknowledges each PUBLISH and records its
 * publisher and number. After a while without messages it prints two counts per publisher: the distinct
 * messages, and those of them that form an unbroken sequence from the first.
 */
const [port = 0, publishers = 1] = process.argv.slice(2).map(Number);

/** Milliseconds without a message after which all messages have arrived. */
const SILENCE = 4_000;
const MAX_SEQUENCE = 1 << 24;

const seen = Array.from({ length: publishers }, () => new Uint8Array(1 << 16));
/** Maximum milliseconds until a hub reconnects. */
const CONNECT = 60_000;

let last = Date.now() + CONNECT;

function note(publisher: number, sequence: number): void {
  const bits = seen[publisher];
  if (bits === undefined || sequence >= MAX_SEQUENCE) return;
  const at = sequence >> 3;
  if (at >= bits.length) {
    const larger = new Uint8Array(Math.max(2 * bits.length, at + 1));
    larger.set(bits);
    seen[publisher] = larger;
    note(publisher, sequence);
    return;
  }
  bits[at] = (bits[at] ?? 0) | (1 << (sequence & 7));
}

const server = createServer({ noDelay: true }, socket => {
  const framer = createServerFramer(1 << 16, 1 << 21, {
    publish: () => 'read',
    other: () => 'read',
    acknowledged: () => {},
    packet: packet => {
      last = Date.now();
      if (packet.cmd === 'connect') socket.write(encodeConnack(packet.version, 0, false));
      else if (packet.cmd === 'pingreq') socket.write(Buffer.from([0xd0, 0]));
      else if (packet.cmd === 'publish') {
        note(packet.payload.readUInt32BE(0), packet.payload.readUInt32BE(4));
        if (packet.qos === 1) socket.write(encodeAcknowledgement(PUBACK, packet.messageId, 0, 4));
      }
    },
    broken: () => socket.destroy(),
  });
  socket.on('data', chunk => framer.push(chunk));
  socket.on('error', () => socket.destroy());
});
server.listen(port, '127.0.0.1');

const timer = setInterval(() => {
  if (Date.now() - last < SILENCE) return;
  clearInterval(timer);
  const rows = seen.map(bits => {
    let inRow = 0;
    while (((bits[inRow >> 3] ?? 0) >> (inRow & 7)) & 1) inRow++;
    let all = 0;
    for (const byte of bits) for (let rest = byte; rest > 0; rest &= rest - 1) all++;
    return { inRow, all };
  });
  process.stdout.write(`${JSON.stringify(rows)}\n`, () => process.exit());
}, 200);
