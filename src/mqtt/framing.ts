import type { Fault } from './reasons.ts';
import { fault, REASON } from './reasons.ts';

/** Bytes of a fixed header at most: type and flags, then up to four of remaining length (MQTT 5, 2.1.1). */
const MAX_HEADER_BYTES = 5;

/** What `endOf` says of a frame that does not end here, and of one that never does. */
const INCOMPLETE = -1;
const MALFORMED = -2;

export type FrameHandler = {
  /** A whole packet at `start` to `end` of `bytes`, whose fixed header ends at `bodyAt`; a fault ends the reading. */
  readonly frame: (bytes: Buffer, start: number, bodyAt: number, end: number) => Fault | undefined;
  /** The stream is not MQTT, or a packet is too large: nothing more will be read from it. */
  readonly broken: (fault: Fault) => void;
};

/** Takes in the bytes of one connection, in pieces of any size. */
export type Framer = {
  readonly push: (chunk: Buffer) => void;
  /** Takes in nothing more. */
  readonly stop: () => void;
};

/**
 * Cuts a byte stream into packets. A packet over `maxBytes` is refused by its header, before it is
 * buffered, so that what is held for one connection stays in proportion to that.
 */
export function createFramer(maxBytes: number, { frame, broken }: FrameHandler): Framer {
  const rest = createRest();
  let stopped = false;
  let start = 0;

  const refuse = (wrong: Fault): void => {
    stopped = true;
    broken(wrong);
  };

  /** Hands on whole packets; `start` is where the first begins that is not handed on. */
  const cut = (bytes: Buffer): void => {
    start = 0;
    while (start < bytes.length && !stopped) {
      const end = endOf(bytes, start);
      if (end === INCOMPLETE) break;
      const wrong = objectionTo(start, end, maxBytes);
      if (wrong !== undefined) refuse(wrong);
      else if (end > bytes.length) break;
      else {
        const from = start;
        start = end;
        const found = frame(bytes, from, bodyAt(bytes, from), end);
        if (found !== undefined) refuse(found);
      }
    }
  };

  return {
    push: chunk => {
      if (stopped) return;
      const bytes = rest.followedBy(chunk);
      try {
        cut(bytes);
      } finally {
        rest.keep(bytes.subarray(stopped ? bytes.length : start));
      }
    },
    stop: () => {
      stopped = true;
    },
  };
}

function objectionTo(start: number, end: number, maxBytes: number): Fault | undefined {
  if (end === MALFORMED) return fault(REASON.malformedPacket, 'a packet has no valid length');
  if (end - start > maxBytes)
    return fault(REASON.packetTooLarge, `a packet is larger than ${maxBytes} bytes`);
  return undefined;
}

/** Where the frame that begins at `start` ends, by its header. */
function endOf(bytes: Buffer, start: number): number {
  let length = 0;
  for (let index = 1; index < MAX_HEADER_BYTES; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return INCOMPLETE;
    length += (byte & 0x7f) * 2 ** (7 * (index - 1));
    // [MQTT-1.5.5-1]: in as few bytes as it needs.
    if (byte === 0 && index > 1) return MALFORMED;
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
