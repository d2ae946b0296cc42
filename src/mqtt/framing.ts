import type { ProtocolError } from './reasons.ts';
import { protocolError, REASON } from './reasons.ts';

/** Bytes of a fixed header at most: type and flags, then up to four of remaining length (MQTT 5, 2.1.1). */
const MAX_HEADER_BYTES = 5;

/** Results of `endOf` for an incomplete frame and for an invalid length. */
const INCOMPLETE = -1;
const MALFORMED = -2;

export type FrameHandler = {
  /**
   * A whole packet at `start` to `end` of `bytes`, whose fixed header ends at `bodyAt`. A fault ends the
   * reading; `later` pauses it, and the packet is handed on again after `resume`.
   */
  readonly frame: (
    bytes: Buffer,
    start: number,
    bodyAt: number,
    end: number,
  ) => ProtocolError | 'later' | undefined;
  /** The stream is not MQTT, or a packet is too large: nothing more will be read from it. */
  readonly broken: (fault: ProtocolError) => void;
};

/** Cuts the bytes of one connection, which come in pieces of any size, into packets. */
export type Framer = {
  readonly push: (chunk: Buffer) => void;
  /** Hands on no packet until `resume`; `push` keeps the bytes. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Stops reading permanently. */
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

  const refuse = (wrong: ProtocolError): void => {
    stopped = true;
    broken(wrong);
  };

  /** Hands on whole packets; `start` is where the first begins that is not handed on. */
  const cut = (bytes: Buffer): void => {
    while (start < bytes.length && !stopped && !paused) {
      const end = endOf(bytes, start);
      if (end === INCOMPLETE) break;
      const wrong = sizeError(start, end, maxBytes());
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

  /** Hands on what is whole of `bytes`, and keeps the rest. */
  const handOn = (bytes: Buffer): void => {
    start = 0;
    cutting = true;
    try {
      cut(bytes);
    } finally {
      cutting = false;
      rest.keep(bytes.subarray(stopped ? bytes.length : start));
    }
  };

  /**
   * Completes the packet whose beginning is kept, and hands it on; returns how many bytes of `chunk` that
   * took.
   */
  const complete = (chunk: Buffer): number => {
    let taken = 0;
    while (rest.length() > 0 && taken < chunk.length) {
      const end = endOf(rest.bytes(), 0);
      if (sizeError(0, end, maxBytes()) !== undefined) break;
      const needed = end === INCOMPLETE ? rest.length() + 1 : end;
      const more = chunk.subarray(taken, taken + needed - rest.length());
      rest.add(more, needed);
      taken += more.length;
      if (rest.length() === end) break;
    }
    const end = rest.length() === 0 ? INCOMPLETE : endOf(rest.bytes(), 0);
    if (end !== INCOMPLETE && (end <= rest.length() || sizeError(0, end, maxBytes()) !== undefined))
      handOn(rest.take());
    return taken;
  };

  return {
    push: chunk => {
      if (stopped) return;
      const taken = paused ? 0 : complete(chunk);
      if (taken === chunk.length || stopped) return;
      const left = chunk.subarray(taken);
      if (rest.length() > 0) rest.add(left, Number.POSITIVE_INFINITY);
      else handOn(left);
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      if (!cutting) handOn(rest.take());
    },
    stop: () => {
      stopped = true;
      if (!cutting) rest.take();
    },
    kept: rest.length,
  };
}

function sizeError(start: number, end: number, maxBytes: number): ProtocolError | undefined {
  if (end === MALFORMED) return protocolError(REASON.malformedPacket, 'a packet has no valid length');
  if (end - start > maxBytes)
    return protocolError(REASON.packetTooLarge, `a packet is larger than ${maxBytes} bytes`);
  return undefined;
}

/** End of the frame that begins at `start`, computed from its header. */
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

/** End of the fixed header of a complete frame. */
function bodyAt(bytes: Buffer, start: number): number {
  let at = start + 1;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}

const NOTHING = Buffer.alloc(0);

/**
 * Bytes that are not handed on yet: the beginning of a packet, or whole packets while the framer is paused.
 */
type Rest = {
  readonly length: () => number;
  readonly bytes: () => Buffer;
  /** Removes and returns the bytes. */
  readonly take: () => Buffer;
  /** Keeps these bytes and no others. */
  readonly keep: (bytes: Buffer) => void;
  /** Adds bytes behind those that are kept; they will be `whole` in all, or unknown: Infinity. */
  readonly add: (bytes: Buffer, whole: number) => void;
};

/**
 * Bytes of less than this part of the chunk that they came in are copied, so that they do not keep the chunk
 * in memory.
 */
const WORTH_KEEPING = 1 / 4;

/**
 * Grows by doubling, so that a packet that comes byte by byte is not copied for each byte, and not beyond the
 * packet's end. It never takes what a header promises before it has come.
 */
function createRest(): Rest {
  let buffer: Buffer = NOTHING;
  let length = 0;
  const bytes = (): Buffer => buffer.subarray(0, length);
  const keep = (kept: Buffer): void => {
    const small = kept.length < kept.buffer.byteLength * WORTH_KEEPING;
    buffer = kept.length === 0 ? NOTHING : small ? Buffer.from(kept) : kept;
    length = kept.length;
  };
  return {
    length: () => length,
    bytes,
    take: () => {
      const taken = bytes();
      keep(NOTHING);
      return taken;
    },
    keep,
    add: (more, whole) => {
      const needed = length + more.length;
      if (needed > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(2 * needed, Math.max(needed, whole)));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      more.copy(buffer, length);
      length = needed;
    },
  };
}
