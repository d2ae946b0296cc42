const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Minimum buffer size in bytes for a partial line, so that a line that arrives byte by byte grows few times.
 */
const MIN_PIECE = 256;

const NOTHING: Buffer = Buffer.alloc(0);

/** Splits a byte stream into lines on demand. Unread lines stay in the chunk. */
export type LineSplitter = {
  /** Adds the next chunk. Only allowed after `next` has returned undefined. */
  readonly push: (chunk: Buffer) => void;
  /**
   * Returns the next complete line without its end (LF or CR LF). Undefined if more bytes are needed. A line
   * within one chunk is a view of the chunk, not a copy. Bytes are never decoded.
   */
  readonly next: () => Buffer | undefined;
  /** Returns the last line at the end of the stream if it has no newline. */
  readonly rest: () => Buffer | undefined;
};

/** Limit of the line length. */
export type LineBound = {
  readonly maxBytes: number;
  /** `cut`: a longer line is truncated to `maxBytes`. `drop`: it is skipped. */
  readonly overflow: 'cut' | 'drop';
  /** Called at the end of each line that exceeds the limit. */
  readonly exceeded: () => void;
};

/** Creates a line splitter that buffers at most `maxBytes` of a partial line. */
export function createLineSplitter({ maxBytes, overflow, exceeded }: LineBound): LineSplitter {
  // One extra byte for a carriage return before the newline, which is not part of the line.
  const capacity = maxBytes + 1;
  let chunk = NOTHING;
  let at = 0;
  let partial = NOTHING;
  let buffered = 0;
  let overflowed = false;

  const buffer = (piece: Buffer): void => {
    const taken = Math.min(piece.length, capacity - buffered);
    if (taken < piece.length) overflowed = true;
    if (overflowed && overflow === 'drop') {
      partial = NOTHING;
      buffered = 0;
      return;
    }
    if (buffered + taken > partial.length) {
      const room = Math.max(buffered + taken, Math.min(capacity, partial.length * 2), MIN_PIECE);
      const grown = Buffer.allocUnsafe(room);
      partial.copy(grown, 0, 0, buffered);
      partial = grown;
    }
    piece.copy(partial, buffered, 0, taken);
    buffered += taken;
  };

  /** Returns undefined if the line is dropped. */
  const finish = (line: Buffer): Buffer | undefined => {
    const ended = !overflowed && line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    const fits = !overflowed && ended.length <= maxBytes;
    overflowed = false;
    if (fits) return ended;
    exceeded();
    return overflow === 'cut' ? ended.subarray(0, maxBytes) : undefined;
  };

  const finishPartial = (): Buffer | undefined => {
    const line = partial.subarray(0, buffered);
    partial = NOTHING;
    buffered = 0;
    return finish(line);
  };

  const isPartial = (): boolean => buffered > 0 || overflowed;

  return {
    push: bytes => {
      chunk = bytes;
      at = 0;
    },
    next: () => {
      for (;;) {
        const newline = chunk.indexOf(NEWLINE, at);
        const piece = chunk.subarray(at, newline === -1 ? chunk.length : newline);
        if (newline === -1) {
          chunk = NOTHING;
          at = 0;
          buffer(piece);
          return undefined;
        }
        at = newline + 1;
        const whole = !isPartial();
        if (!whole) buffer(piece);
        const line = whole ? finish(piece) : finishPartial();
        if (line !== undefined) return line;
      }
    },
    rest: () => (isPartial() ? finishPartial() : undefined),
  };
}
