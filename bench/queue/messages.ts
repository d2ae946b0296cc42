import { randomBytes } from 'node:crypto';
import type { Message } from '../../src/core/message.ts';
import { PLAIN } from '../../src/core/message.ts';

/** Bytes of a message's body. */
export const PAYLOAD = 256;

export const TOPIC = 'sensors/cellar/pump/vibration';

const noise = randomBytes(PAYLOAD);

/** A body of its own for every message, as a socket would bring it, with its number in front. */
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

/** A function that takes bodies in the order of their numbers. @throws if one is missing, or out of order */
export function orderCheck(first: number): (body: Uint8Array | undefined) => void {
  let next = first;
  return body => {
    const number = body?.length === PAYLOAD ? Buffer.from(body.buffer, body.byteOffset).readUInt32LE() : -1;
    if (number !== next++) throw new Error(`Message ${next - 1} should have come, but ${number} did.`);
  };
}
