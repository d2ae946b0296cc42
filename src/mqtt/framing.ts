import type { ProtocolError } from './reasons.ts';
import { protocolError, REASON } from './reasons.ts';

/**
 * Maximum bytes of a fixed header: one byte for type and flags, and up to four bytes for the remaining length
 * (MQTT 5, 2.1.1).
 */
const MAX_HEADER_BYTES = 5;

/** Result of `endOf` for an incomplete header. */
const INCOMPLETE = -1;

/** Result of `endOf` for an invalid length. */
const MALFORMED = -2;

export type FrameHandler = {
  /**
   * Called with a complete packet at `start` to `end` of `bytes`. The fixed header ends at `bodyAt`. If the
   * call returns an error, reading stops. If the call returns `later`, reading pauses, and the packet is
   * passed again after `resume`.
   */
  readonly frame: (
    bytes: Buffer,
    start: number,
    bodyAt: number,
    end: number,
  ) => ProtocolError | 'later' | undefined;
  /** Called if the stream is not MQTT or a packet is too large. No further bytes are read. */
  readonly broken: (fault: ProtocolError) => void;
};

/** Splits the byte stream of one connection into packets. */
export type Framer = {
  /** Adds received bytes, and passes each complete packet to the handler. */
  readonly push: (chunk: Buffer) => void;
  /**
   * Pauses the framer. Until `resume`, no packet is passed to the handler, and `push` stores the received
   * bytes.
   */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Stops reading permanently. */
  readonly stop: () => void;
  /**
   * Returns the number of stored bytes: incomplete packets, and packets that the handler has not received
   * yet.
   */
  readonly kept: () => number;
};

/**
 * Creates a framer. A packet with more than `maxBytes()` bytes is refused as soon as its header is read,
 * before its body is stored. Therefore the stored bytes of a connection are bounded.
 */
export function createFramer(maxBytes: () => number, { frame, broken }: FrameHandler): Framer {
  const rest = createRest();
  let stopped = false;
  let paused = false;
  let splitting = false;
  let start = 0;

  const refuse = (wrong: ProtocolError): void => {
    stopped = true;
    broken(wrong);
  };

  /**
   * Passes the complete packets in `bytes` to `frame`. `start` is the position of the first packet that has
   * not been passed yet.
   */
  const split = (bytes: Buffer): void => {
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

  /** Passes the complete packets in `bytes` to `frame`, and stores the remaining bytes. */
  const passOn = (bytes: Buffer): void => {
    start = 0;
    splitting = true;
    try {
      split(bytes);
    } finally {
      splitting = false;
      rest.keep(bytes.subarray(stopped ? bytes.length : start));
    }
  };

  /**
   * Completes the stored packet with bytes of `chunk`, and passes the packet on. Returns the number of bytes
   * that were taken from `chunk`.
   */
  const complete = (chunk: Buffer): number => {
    let used = 0;
    while (rest.length() > 0 && used < chunk.length) {
      const end = endOf(rest.bytes(), 0);
      if (sizeError(0, end, maxBytes()) !== undefined) break;
      const needed = end === INCOMPLETE ? rest.length() + 1 : end;
      const more = chunk.subarray(used, used + needed - rest.length());
      rest.add(more, needed);
      used += more.length;
      if (rest.length() === end) break;
    }
    const end = rest.length() === 0 ? INCOMPLETE : endOf(rest.bytes(), 0);
    if (end !== INCOMPLETE && (end <= rest.length() || sizeError(0, end, maxBytes()) !== undefined))
      passOn(rest.take());
    return used;
  };

  return {
    push: chunk => {
      if (stopped) return;
      const used = paused ? 0 : complete(chunk);
      if (used === chunk.length || stopped) return;
      const left = chunk.subarray(used);
      if (rest.length() > 0) rest.add(left, Number.POSITIVE_INFINITY);
      else passOn(left);
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      if (!splitting) passOn(rest.take());
    },
    stop: () => {
      stopped = true;
      if (!splitting) rest.take();
    },
    kept: rest.length,
  };
}

function sizeError(start: number, end: number, maxBytes: number): ProtocolError | undefined {
  if (end === MALFORMED) return protocolError(REASON.malformedPacket, 'a packet has an invalid length');
  if (end - start > maxBytes)
    return protocolError(REASON.packetTooLarge, `a packet is larger than ${maxBytes} bytes`);
  return undefined;
}

/**
 * Returns the end of the packet that begins at `start`, according to the length in its header. Returns
 * INCOMPLETE if the header is incomplete, and MALFORMED if the length is invalid.
 */
function endOf(bytes: Buffer, start: number): number {
  let length = 0;
  for (let index = 1; index < MAX_HEADER_BYTES; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return INCOMPLETE;
    length += (byte & 0x7f) * 2 ** (7 * (index - 1));
    // The length must be encoded in the minimum number of bytes [MQTT-1.5.5-1].
    if (byte === 0 && index > 1) return MALFORMED;
    if (byte < 0x80) return start + index + 1 + length;
  }
  return MALFORMED;
}

/** Returns the end of the fixed header of a complete packet. */
function bodyAt(bytes: Buffer, start: number): number {
  let at = start + 1;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}

const NOTHING = Buffer.alloc(0);

/**
 * Bytes that the handler has not received yet: the beginning of a packet, or complete packets while the
 * framer is paused.
 */
type Rest = {
  readonly length: () => number;
  readonly bytes: () => Buffer;
  /** Removes all bytes and returns them. */
  readonly take: () => Buffer;
  /** Replaces the stored bytes. */
  readonly keep: (bytes: Buffer) => void;
  /**
   * Appends bytes. `whole` is the total number of bytes that are expected, or Infinity if the total is
   * unknown.
   */
  readonly add: (bytes: Buffer, whole: number) => void;
};

/**
 * Minimum size of the stored bytes, as a fraction of the chunk that contains them. A smaller slice of a chunk
 * is copied, because the slice would keep the whole chunk in memory.
 */
const MIN_SHARED_PART = 1 / 4;

/**
 * Creates an empty buffer for bytes that the handler has not received yet. The buffer grows by doubling, up
 * to the end of the packet. Therefore a packet that arrives byte by byte is not copied for each byte. The
 * buffer has at most twice the bytes that have arrived, even if the header announces more.
 */
function createRest(): Rest {
  let buffer: Buffer = NOTHING;
  let length = 0;
  const bytes = (): Buffer => buffer.subarray(0, length);
  const keep = (kept: Buffer): void => {
    const small = kept.length < kept.buffer.byteLength * MIN_SHARED_PART;
    buffer = kept.length === 0 ? NOTHING : small ? Buffer.from(kept) : kept;
    length = kept.length;
  };
  return {
    length: () => length,
    bytes,
    take: () => {
      const all = bytes();
      keep(NOTHING);
      return all;
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
