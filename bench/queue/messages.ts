import { randomBytes } from 'node:crypto';
import type { Message } from '../../src/core/message.ts';
import { PLAIN } from '../../src/core/message.ts';

/** Bytes of the body of a message. */
export const PAYLOAD = 256;

export const TOPIC = 'sensors/cellar/pump/vibration';

const noise = randomBytes(PAYLOAD);

/**
 * Returns a new body that begins with the number of the message. Each message has its own buffer, as from a
 * socket.
 */
export function bodyOf(number: number): Buffer {
  const body = Buffer.from(noise);
  body.writeUInt32LE(number);
  return body;
}

export function messageOf(number: number): Message {
  return {
    topic: TOPIC,
    body: bodyOf(number),
    ...PLAIN,
    qos: 1,
    origin: { kind: 'client', client: 'bench' },
  };
}

/**
 * Creates a function that checks the order of bodies by their numbers.
 * @throws if a message is missing or out of order
 */
export function orderCheck(first: number): (body: Uint8Array | undefined) => void {
  let next = first;
  return body => {
    const number = body?.length === PAYLOAD ? Buffer.from(body.buffer, body.byteOffset).readUInt32LE() : -1;
    if (number !== next++) throw new Error(`Message ${next - 1} was expected, but ${number} was received.`);
  };
}
