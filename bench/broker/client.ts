import { connect } from 'node:net';
import { generate } from 'mqtt-packet';

/*
 * MQTT 3.1.1 client that costs little processor time. All PUBLISH packets have the same length, so the client
 * sends slices of bytes that are encoded once, and counts received bytes instead of parsing packets.
 */
export const TOPIC = 'bench/topic';
const PAYLOAD = 256;

/** Number of packet identifiers that a publisher uses in turn. Larger than any window. */
const IDENTIFIERS = 4_096;

const CONNACK_BYTES = 4;
const SUBACK_BYTES = 5;
export const PUBACK_BYTES = 4;

export type Frames = {
  /** Bytes of one frame. */
  readonly size: number;
  /** Offset of the packet identifier in a frame. */
  readonly identifierAt: number;
  /** Returns at most `count` frames, beginning with frame number `sent`, and the number of frames. */
  readonly from: (sent: number, count: number) => { readonly bytes: Buffer; readonly count: number };
};

/** Encodes frames with the identifiers 1 to IDENTIFIERS, one after another. */
export function framesOf(qos: 0 | 1): Frames {
  const all = Buffer.concat(
    Array.from({ length: IDENTIFIERS }, (_, index) =>
      generate({
        cmd: 'publish',
        topic: TOPIC,
        payload: Buffer.alloc(PAYLOAD, index),
        qos,
        messageId: index + 1,
        dup: false,
        retain: false,
      }),
    ),
  );
  const size = all.length / IDENTIFIERS;
  return {
    size,
    identifierAt: size - PAYLOAD - 2,
    from: (sent, wanted) => {
      const first = sent % IDENTIFIERS;
      const count = Math.min(wanted, IDENTIFIERS - first);
      return { bytes: all.subarray(first * size, (first + count) * size), count };
    },
  };
}

export type ClientSettings = {
  readonly port: number;
  readonly id: string;
  readonly clean: boolean;
  /** QoS of a subscription to TOPIC. Undefined if the client does not subscribe. */
  readonly subscribe: 0 | 1 | undefined;
  /** Called with all bytes after the answers to CONNECT and SUBSCRIBE. */
  readonly heard: (bytes: Buffer) => void;
};

export type Client = { readonly send: (bytes: Buffer) => void; readonly leave: () => Promise<void> };

/** Connects a client. Resolves when the answers to CONNECT and SUBSCRIBE are received. */
export function openClient({ port, id, clean, subscribe, heard }: ClientSettings): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answers = CONNACK_BYTES + (subscribe === undefined ? 0 : SUBACK_BYTES);
  const packets = [
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: id,
      clean,
      keepalive: 0,
    }),
  ];
  if (subscribe !== undefined)
    packets.push(
      generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: TOPIC, qos: subscribe }] }),
    );
  socket.write(Buffer.concat(packets));
  const client: Client = {
    send: bytes => void socket.write(bytes),
    leave: () =>
      new Promise(resolve => {
        socket.once('close', resolve);
        socket.end(generate({ cmd: 'disconnect' }));
      }),
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', bytes => {
      const skipped = Math.min(answers, bytes.length);
      if (skipped > 0) {
        answers -= skipped;
        if (answers === 0) resolve(client);
      }
      if (bytes.length > skipped) heard(bytes.subarray(skipped));
    });
  });
}

/**
 * Creates a function that receives the bytes of frames at QoS 1 in pieces of any size. It calls `whole` with
 * the number of complete frames and their acknowledgements.
 */
export function receiver(
  frames: Frames,
  whole: (count: number, answers: Buffer) => void,
): (bytes: Buffer) => void {
  const { size, identifierAt } = frames;
  let tail: Buffer = Buffer.alloc(0);
  return bytes => {
    const all = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
    const count = Math.floor(all.length / size);
    tail = all.subarray(count * size);
    if (count === 0) return;
    const answers = Buffer.alloc(count * PUBACK_BYTES);
    for (let n = 0; n < count; n++) {
      answers.writeUInt16BE(0x4002, n * PUBACK_BYTES);
      answers.writeUInt16BE(all.readUInt16BE(n * size + identifierAt), n * PUBACK_BYTES + 2);
    }
    whole(count, answers);
  };
}
