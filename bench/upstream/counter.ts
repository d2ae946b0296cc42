import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { MARK, STEP } from './marks.ts';

/*
 * counter.ts <port> <messages> <quiet ms>
 *
 * Subscribes to the marks (marks.ts) at QoS 0 and prints "ready". Ends when the marks show that all messages
 * have arrived, or when no mark has arrived for the quiet time. Then prints the number of messages, and the
 * messages a second between the first and the last mark.
 */
const [port = 0, messages = 1, quiet = 1_000] = process.argv.slice(2).map(Number);

/** Filters for the marks. A hub on the path adds its name as a first topic level. */
const FILTERS = [MARK, `+/${MARK}`];
const CONNACK_AND_SUBACK = 4 + 4 + FILTERS.length;

let skip = CONNACK_AND_SUBACK;
let size = 0;
let bytes = 0;
let first = 0;
let last = 0;

function finish(): void {
  const marks = size === 0 ? 0 : Math.floor(bytes / size);
  process.stdout.write(`came ${marks * STEP}\nrate ${(((marks - 1) * STEP) / (last - first)) * 1000}\n`);
  process.exit(0);
}

/** Returns the size of a frame whose remaining length is encoded in two bytes (128 to 16,383). */
function sizeOf(frame: Buffer): number {
  return 3 + (frame.readUInt8(1) & 0x7f) + frame.readUInt8(2) * 128;
}

const socket = connect({ port, host: '127.0.0.1', noDelay: true });
socket.on('data', chunk => {
  const data = chunk.subarray(Math.min(skip, chunk.length));
  if (skip > 0) {
    skip -= chunk.length - data.length;
    if (skip === 0) process.stdout.write('ready\n');
  }
  if (data.length === 0) return;
  last = performance.now();
  if (size === 0) {
    first = last;
    size = sizeOf(data);
  }
  bytes += data.length;
  if (bytes * STEP >= messages * size) finish();
});
socket.write(
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'counter',
    clean: true,
    keepalive: 0,
  }),
);
socket.write(
  generate({ cmd: 'subscribe', messageId: 1, subscriptions: FILTERS.map(topic => ({ topic, qos: 0 })) }),
);
setInterval(() => {
  if (first > 0 && performance.now() - last > quiet) finish();
}, 200);
