import { createServer } from 'node:net';
import { generate } from 'mqtt-packet';
import { PUBACK_BYTES } from '../broker/client.ts';

/*
 * counting-server.ts <port> <messages> <quiet ms>
 *
 * Upstream that costs as little processor time as possible: it acknowledges PUBLISH at QoS 1 and discards the
 * message. Prints "ready", then the same figures as counter.ts.
 */
const [port = 0, messages = 1, quiet = 1_000] = process.argv.slice(2).map(Number);
const CONNECT = 0x10;
const PUBLISH = 0x30;
const UNSUBSCRIBE = 0xa0;
const PING = 0xc0;

let received = 0;
let first = 0;
let last = 0;

function finish(): void {
  process.stdout.write(`came ${received}\nrate ${((received - 1) / (last - first)) * 1000}\n`);
  process.exit(0);
}

/**
 * Returns the bounds of the bytes after the fixed header of the frame at `start`. Undefined if the header is
 * incomplete.
 */
function restOf(bytes: Buffer, start: number): { at: number; end: number } | undefined {
  let length = 0;
  for (let at = start + 1, scale = 1; at < bytes.length; at++, scale *= 128) {
    const byte = bytes.readUInt8(at);
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return { at: at + 1, end: at + 1 + length };
  }
  return undefined;
}

function answerTo(bytes: Buffer, start: number, at: number): Buffer {
  const kind = bytes.readUInt8(start) & 0xf0;
  if (kind === CONNECT) {
    const version = bytes.readUInt8(at + 6);
    return version === 5 ? Buffer.from([0x20, 3, 0, 0, 0]) : Buffer.from([0x20, 2, 0, 0]);
  }
  if (kind === UNSUBSCRIBE)
    return generate({ cmd: 'unsuback', messageId: bytes.readUInt16BE(at), granted: [] });
  return kind === PING ? generate({ cmd: 'pingresp' }) : Buffer.alloc(0);
}

const server = createServer({ noDelay: true }, socket => {
  let tail: Buffer = Buffer.alloc(0);
  socket.on('error', finish);
  socket.on('data', chunk => {
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const answers = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    let start = 0;
    for (let rest = restOf(bytes, 0); rest !== undefined && rest.end <= bytes.length; ) {
      const { at, end } = rest;
      if ((bytes.readUInt8(start) & 0xf0) === PUBLISH) {
        const identifierAt = at + 2 + bytes.readUInt16BE(at);
        answers.writeUInt16BE(0x4002, length);
        bytes.copy(answers, length + 2, identifierAt, identifierAt + 2);
        length += PUBACK_BYTES;
        received++;
      } else length += answerTo(bytes, start, at).copy(answers, length);
      start = end;
      rest = restOf(bytes, start);
    }
    tail = bytes.subarray(start);
    if (length > 0) socket.write(answers.subarray(0, length));
    if (received === 0) return;
    last = performance.now();
    if (first === 0) first = last;
    if (received >= messages) finish();
  });
});
server.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
setInterval(() => {
  if (first > 0 && performance.now() - last > quiet) finish();
}, 200);
