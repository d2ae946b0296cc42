import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate } from 'mqtt-packet';

/*
 * publisher.ts <port> <publishers> <QoS> <bytes> <seconds>: a process of MQTT 3.1.1 clients that publish as
 * fast as the hub reads. A body begins with the numbers of the publisher and of the message, 4 bytes each.
 * Prints the number of sent and acknowledged messages of each publisher as JSON.
 */
const [port = 0, publishers = 1, qos = 0, bytes = 256, seconds = 5] = process.argv.slice(2).map(Number);

/** Maximum unacknowledged QoS 1 messages of one publisher. */
const WINDOW = 20;

/** Maximum milliseconds to wait for the last acknowledgements. */
const LAST = 10_000;

/** Maximum unsent bytes in the socket of a QoS 0 publisher. */
const WAITING = 1 << 18;

const TOPIC = 'flood/t';
const end = Date.now() + seconds * 1000;

type Publisher = { sent: number; acknowledged: number };

function packet(number: number, sequence: number): Buffer {
  const body = Buffer.alloc(bytes, 0x2e);
  body.writeUInt32BE(number, 0);
  body.writeUInt32BE(sequence, 4);
  const more = qos === 0 ? {} : { messageId: 1 + (sequence % 60_000) };
  return generate({
    cmd: 'publish',
    topic: TOPIC,
    payload: body,
    qos: qos === 0 ? 0 : 1,
    dup: false,
    retain: false,
    ...more,
  });
}

function publish(number: number): Promise<Publisher> {
  const state: Publisher = { sent: 0, acknowledged: 0 };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let skipped = 0;
  let odd = 0;
  socket.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: `flood-${number}`,
      clean: true,
      keepalive: 0,
    }),
  );
  const fill = (): void => {
    while (Date.now() < end && socket.writable) {
      const room = qos === 0 ? socket.writableLength < WAITING : state.sent - state.acknowledged < WINDOW;
      if (!room) return;
      socket.write(packet(number, state.sent++));
    }
  };
  socket.on('drain', fill);
  socket.on('data', (chunk: Buffer) => {
    // CONNACK and PUBACK have four bytes each, and the hub sends PUBACKs in the order of the messages.
    const total = odd + chunk.length;
    odd = total % 4;
    let packets = Math.floor(total / 4);
    if (skipped === 0 && packets > 0) {
      skipped = 1;
      packets--;
    }
    state.acknowledged += packets;
    fill();
  });
  return new Promise(resolve => {
    const done = (): void => {
      socket.destroy();
      resolve(state);
    };
    socket.on('error', () => {});
    socket.on('close', done);
    void (async () => {
      await pause(end - Date.now());
      const last = Date.now() + LAST;
      while (Date.now() < last && (qos === 0 ? socket.writableLength > 0 : state.acknowledged < state.sent))
        await pause(20);
      done();
    })();
  });
}

const states = await Promise.all(Array.from({ length: publishers }, (_, number) => publish(number)));
process.stdout.write(`${JSON.stringify(states)}\n`);
