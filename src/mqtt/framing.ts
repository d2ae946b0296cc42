import { parser } from 'mqtt-packet';
import type { Packet } from './packets.ts';

/** Bytes of a fixed header at most: type and flags, then up to four of remaining length (3.1.1, 2.2.3). */
const MAX_HEADER_BYTES = 5;

export type FrameHandler = {
  readonly packet: (packet: Packet) => void;
  /** The stream is not MQTT, or a packet is too large: nothing more will be read from it. */
  readonly broken: (reason: string) => void;
};

/** Takes in the bytes of one connection, in pieces of any size. */
export type Framer = { readonly push: (chunk: Buffer) => void };

type Frame = { readonly end: number } | 'incomplete' | 'malformed';

/**
 * Cuts a byte stream into packets. A packet over `maxBytes` is refused by its header, before it is
 * buffered, so that no more than that is ever held for one connection.
 */
export function createFramer(maxBytes: number, handler: FrameHandler): Framer {
  let rest: Buffer | undefined;
  let closed = false;
  let parsed: Packet | undefined;
  const packets = parser({ protocolVersion: 4 });

  const stop = (reason: string): void => {
    if (closed) return;
    closed = true;
    rest = undefined;
    handler.broken(reason);
  };
  packets.on('packet', packet => {
    parsed = packet;
  });
  packets.on('error', (error: unknown) => stop(error instanceof Error ? error.message : String(error)));

  /** The packet of a whole frame; undefined if it is none. What the handler throws is not the parser's. */
  const parse = (frame: Buffer): Packet | undefined => {
    parsed = undefined;
    try {
      if (packets.parse(frame) > 0) stop('a packet is not as long as it says');
    } catch (thrown) {
      if (!(thrown instanceof RangeError || thrown instanceof TypeError)) throw thrown;
      stop('a packet is cut short');
    }
    return parsed;
  };

  return {
    push: chunk => {
      const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      rest = undefined;
      let start = 0;
      while (start < bytes.length && !closed) {
        const frame = frameAt(bytes, start);
        if (frame === 'malformed') return stop('a packet has no valid length');
        if (frame === 'incomplete') {
          rest = bytes.subarray(start);
          return;
        }
        if (frame.end - start > maxBytes) return stop(`a packet is larger than ${maxBytes} bytes`);
        if (frame.end > bytes.length) {
          rest = bytes.subarray(start);
          return;
        }
        const packet = parse(bytes.subarray(start, frame.end));
        start = frame.end;
        if (packet !== undefined && !closed) handler.packet(packet);
      }
    },
  };
}

function frameAt(bytes: Buffer, start: number): Frame {
  let length = 0;
  for (let index = 1; index < MAX_HEADER_BYTES; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return 'incomplete';
    length += (byte & 0x7f) * 2 ** (7 * (index - 1));
    if (byte < 0x80) return { end: start + index + 1 + length };
  }
  return 'malformed';
}
