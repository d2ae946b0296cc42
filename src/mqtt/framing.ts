import type { Fault } from './reasons.ts';
import { fault, REASON } from './reasons.ts';

/** Bytes of a fixed header at most: type and flags, then up to four of remaining length (MQTT 5, 2.1.1). */
const MAX_HEADER_BYTES = 5;

/** What `endOf` says of a frame that does not end here, and of one that never does. */
const INCOMPLETE = -1;
const MALFORMED = -2;

export type FrameHandler = {
  /**
   * A whole packet at `start` to `end` of `bytes`, whose fixed header ends at `bodyAt`. A fault ends the reading;
   * `later` pauses it, and the packet is handed on again after `resume`.
   */
  readonly frame: (bytes: Buffer, start: number, bodyAt: number, end: number) => Fault | 'later' | undefined;
  /** The stream is not MQTT, or a packet is too large: nothing more will be read from it. */
  readonly broken: (fault: Fault) => void;
};

/** Cuts the bytes of one connection, which come in pieces of any size, into packets. */
export type Framer = {
  readonly push: (chunk: Buffer) => void;
  /** Hands on no packet until `resume`; `push` keeps the bytes. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends the reading for good. */
  readonly stop: () => void;
  /** Bytes kept of packets that are not complete or not handed on. */
  readonly kept: () => number;
};

/**
 * Cuts a byte stream into packets. A packet over `maxBytes()` is refused by its header, before it is
 * buffered, so that what is held for one connection stays in proportion to that.
 */
export function createFramer(maxBytes: () => number, { frame, broken }: FrameHandler): Framer {
  const rest = createRest();
  let stopped = false;
  let paused = false;
  let cutting = false;
  let start = 0;

  const refuse = (wrong: Fault): void => {
    stopped = true;
    broken(wrong);
  };

  /** Hands on whole packets; `start` is where the first begins that is not handed on. */
  const cut = (bytes: Buffer): void => {
    while (start < bytes.length && !stopped && !paused) {
      const end = endOf(bytes, start);
      if (end === INCOMPLETE) break;
      const wrong = objectionTo(start, end, maxBytes());
      if (wrong !== undefined) refuse(wrong);
      else if (end > bytes.length) break;
      else {
        const from = start;
        start = end;
        const found = frame(bytes, from, bodyAt(bytes, from), end);
        if (found === 'later') {
          start = from;
          paused = true;
        } else if (found !== undefined) refuse(found);
      }
    }
  };

  const push = (chunk: Buffer): void => {
    if (stopped) return;
    const bytes = rest.followedBy(chunk);
    start = 0;
    cutting = true;
    try {
      cut(bytes);
    } finally {
      cutting = false;
      rest.keep(bytes.subarray(stopped ? bytes.length : start));
    }
  };

  return {
    push,
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      if (!cutting) push(NOTHING);
    },
    stop: () => {
      stopped = true;
      if (!cutting) rest.keep(NOTHING);
    },
    kept: rest.length,
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

const NOTHING = Buffer.alloc(0);

/** Bytes that are not handed on yet: the beginning of a packet, or whole packets while the framer is paused. */
type Rest = {
  /** The kept bytes with `chunk` behind them. */
  readonly followedBy: (chunk: Buffer) => Buffer;
  /** Keeps the end of the bytes that `followedBy` returned, or all of them. */
  readonly keep: (bytes: Buffer) => void;
  readonly length: () => number;
};

/** A rest of less than this part of the chunk that it came in is copied, so that it does not keep the chunk in memory. */
const WORTH_KEEPING = 1 / 4;

/** Grows by doubling, so that a packet that comes byte by byte is not copied for each byte. */
function createRest(): Rest {
  let buffer: Buffer | undefined;
  let length = 0;
  return {
    length: () => length,
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
      const small = bytes.length < bytes.buffer.byteLength * WORTH_KEEPING;
      buffer = bytes.length === 0 ? undefined : small ? Buffer.from(bytes) : bytes;
      length = bytes.length;
    },
  };
}
