import { parser } from 'mqtt-packet';
import type { Incoming } from './packets.ts';
import { PUBLISH, readPublish } from './publish.ts';

/** Bytes of a fixed header at most: type and flags, then up to four of remaining length (3.1.1, 2.2.3). */
const MAX_HEADER_BYTES = 5;

/** What mqtt-packet says of a CONNECT of a version that it does not know. */
const UNKNOWN_VERSION = 'Invalid protocol version';

export type FrameHandler = {
  /** A PUBLISH, before it is read, at `start` to `end` of `bytes`, its topic at `topicAt`; true: it is taken. */
  readonly publish?: (bytes: Buffer, start: number, topicAt: number, end: number) => boolean;
  readonly packet: (packet: Incoming) => void;
  /**
   * The stream is not MQTT, or a packet is too large: nothing more will be read from it. `unknownVersion`: it
   * is a CONNECT of a version of MQTT that there is not.
   */
  readonly broken: (reason: string, unknownVersion: boolean) => void;
};

/** Takes in the bytes of one connection, in pieces of any size. */
export type Framer = { readonly push: (chunk: Buffer) => void };

/** What `endOf` says of a frame that does not end here, and of one that never does. */
const INCOMPLETE = -1;
const MALFORMED = -2;

/**
 * Cuts a byte stream into packets. A packet over `maxBytes` is refused by its header, before it is
 * buffered, so that what is held for one connection stays in proportion to that.
 */
export function createFramer(maxBytes: number, handler: FrameHandler): Framer {
  const rest = createRest();
  let closed = false;
  const parsed: Incoming[] = [];
  const packets = parser({ protocolVersion: 4 });

  const stop = (reason: string): void => {
    if (closed) return;
    closed = true;
    handler.broken(reason, reason === UNKNOWN_VERSION);
  };
  packets.on('packet', packet => {
    if (packet.cmd !== 'publish') parsed.push(packet);
  });
  packets.on('error', (error: unknown) => stop(error instanceof Error ? error.message : String(error)));

  /** The packet of a whole frame that is no PUBLISH; undefined if it is none. What the handler throws is not the parser's. */
  const parse = (frame: Buffer): Incoming | undefined => {
    try {
      if (packets.parse(frame) > 0) stop('a packet is not as long as it says');
    } catch (thrown) {
      if (!(thrown instanceof RangeError || thrown instanceof TypeError)) throw thrown;
      stop('a packet is cut short');
    }
    return parsed.pop();
  };

  /** Undefined if it is none, or was taken before it was read. */
  const packetIn = (bytes: Buffer, start: number, end: number): Incoming | undefined => {
    const first = bytes[start] ?? 0;
    if ((first & 0xf0) !== PUBLISH) return parse(bytes.subarray(start, end));
    const topicAt = bodyAt(bytes, start);
    if (handler.publish?.(bytes, start, topicAt, end) === true) return undefined;
    const publish = readPublish(bytes, first, topicAt, end);
    if (typeof publish !== 'string') return publish;
    stop(publish);
    return undefined;
  };

  const deliver = (packet: Incoming | undefined): void => {
    // mqtt-packet reads -1 where a packet ends before its identifier.
    if ((packet?.messageId ?? 0) < 0) stop('a packet is cut short');
    if (packet !== undefined && !closed) handler.packet(packet);
  };

  return {
    push: chunk => {
      if (closed) return;
      const bytes = rest.followedBy(chunk);
      let start = 0;
      try {
        while (start < bytes.length && !closed) {
          const end = endOf(bytes, start);
          if (end === MALFORMED) return stop('a packet has no valid length');
          if (end === INCOMPLETE) return;
          if (end - start > maxBytes) return stop(`a packet is larger than ${maxBytes} bytes`);
          if (end > bytes.length) return;
          const packet = packetIn(bytes, start, end);
          start = end;
          deliver(packet);
        }
      } finally {
        rest.keep(bytes.subarray(closed ? bytes.length : start));
      }
    },
  };
}

/** Where the frame that begins at `start` ends, by its header. */
function endOf(bytes: Buffer, start: number): number {
  let length = 0;
  for (let index = 1; index < MAX_HEADER_BYTES; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return INCOMPLETE;
    length += (byte & 0x7f) * 2 ** (7 * (index - 1));
    if (byte < 0x80) return start + index + 1 + length;
  }
  return MALFORMED;
}

/** Where the header of a whole frame ends. */
function bodyAt(bytes: Buffer, start: number): number {
  let at = start + 1;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}

/** The beginning of a packet whose end has not come yet. */
type Rest = {
  /** What is kept, with `chunk` behind it. */
  readonly followedBy: (chunk: Buffer) => Buffer;
  /** Keeps the end of what `followedBy` gave, or all of it. */
  readonly keep: (bytes: Buffer) => void;
};

/** It grows by doubling: a packet that comes byte by byte is not copied for each of them. */
function createRest(): Rest {
  let buffer: Buffer | undefined;
  let length = 0;
  return {
    followedBy: chunk => {
      if (buffer === undefined) return chunk;
      const needed = length + chunk.length;
      if (needed > buffer.length) buffer = Buffer.concat([buffer.subarray(0, length)], 2 * needed);
      chunk.copy(buffer, length);
      length = needed;
      return buffer.subarray(0, length);
    },
    keep: bytes => {
      if (buffer !== undefined && bytes.length === length) return;
      buffer = bytes.length === 0 ? undefined : bytes;
      length = bytes.length;
    },
  };
}
