const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Minimum size in bytes of the buffer for a partial line. This minimum prevents many small reallocations if a
 * line arrives byte by byte.
 */
const MIN_PARTIAL_BYTES = 256;

const NOTHING: Buffer = Buffer.alloc(0);

/** Splitter of a byte stream into lines. Each call of `next` reads one more line from the current chunk. */
export type LineSplitter = {
  /** Adds the next chunk. Must only be called after `next` has returned undefined. */
  readonly push: (chunk: Buffer) => void;
  /**
   * Returns the next complete line without the line end (LF or CR LF). Undefined if more bytes are needed. A
   * line that is within one chunk is a view of the chunk and not a copy.
   */
  readonly next: () => Buffer | undefined;
  /**
   * Returns the last line if the stream has ended without a newline. Returns undefined if the stream ended
   * with a newline.
   */
  readonly rest: () => Buffer | undefined;
};

/** Limit of the line length. */
export type LineBound = {
  readonly maxBytes: number;
  /**
   * Handling of a line of more than `maxBytes`. `cut`: the line is truncated to `maxBytes`. `drop`: the line
   * is discarded.
   */
  readonly overflow: 'cut' | 'drop';
  /** Called at the end of each line that exceeds the limit. */
  readonly exceeded: () => void;
};

/** Creates a line splitter that buffers at most `maxBytes` of a partial line. */
export function createLineSplitter({ maxBytes, overflow, exceeded }: LineBound): LineSplitter {
  // The buffer has one extra byte for a carriage return before the newline. The carriage return does not
  // count as part of the line.
  const capacity = maxBytes + 1;
  let chunk = NOTHING;
  let offset = 0;
  let partial = NOTHING;
  let buffered = 0;
  let overflowed = false;

  const buffer = (piece: Buffer): void => {
    const accepted = Math.min(piece.length, capacity - buffered);
    if (accepted < piece.length) overflowed = true;
    if (overflowed && overflow === 'drop') {
      partial = NOTHING;
      buffered = 0;
      return;
    }
    if (buffered + accepted > partial.length) {
      const newSize = Math.max(
        buffered + accepted,
        Math.min(capacity, partial.length * 2),
        MIN_PARTIAL_BYTES,
      );
      const grown = Buffer.allocUnsafe(newSize);
      partial.copy(grown, 0, 0, buffered);
      partial = grown;
    }
    piece.copy(partial, buffered, 0, accepted);
    buffered += accepted;
  };

  /**
   * Checks the length of a line. Returns the line without its carriage return, or undefined if the line is
   * dropped.
   */
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
      offset = 0;
    },
    next: () => {
      for (;;) {
        const newline = chunk.indexOf(NEWLINE, offset);
        const piece = chunk.subarray(offset, newline === -1 ? chunk.length : newline);
        if (newline === -1) {
          chunk = NOTHING;
          offset = 0;
          buffer(piece);
          return undefined;
        }
        offset = newline + 1;
        const whole = !isPartial();
        if (!whole) buffer(piece);
        const line = whole ? finish(piece) : finishPartial();
        if (line !== undefined) return line;
      }
    },
    rest: () => (isPartial() ? finishPartial() : undefined),
  };
}
