const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Bytes of the first piece of a line, at least: a line that comes byte by byte grows few times. */
const MIN_PIECE = 256;

const NOTHING: Buffer = Buffer.alloc(0);

/** Splits a stream of bytes into lines, on demand: what was not asked for waits in the chunk. */
export type LineSplitter = {
  /** Next bytes of the stream; only once `next` has returned undefined. */
  readonly push: (chunk: Buffer) => void;
  /**
   * Next whole line without its end (LF or CR LF); undefined if it needs more bytes. A line within one chunk is
   * a view of that chunk, not a copy. Bytes are never decoded.
   */
  readonly next: () => Buffer | undefined;
  /** At the end of the stream: the line that has no end, if one was begun. */
  readonly rest: () => Buffer | undefined;
};

/** Bound of a line. */
export type LineBound = {
  readonly maxBytes: number;
  /** `cut`: of a longer line its first `maxBytes` are returned. `drop`: it is skipped. */
  readonly overflow: 'cut' | 'drop';
  /** Called at the end of each line that is longer. */
  readonly exceeded: () => void;
};

/** Holds `maxBytes` of the stream at most. */
export function createLineSplitter({ maxBytes, overflow, exceeded }: LineBound): LineSplitter {
  // One byte more than a line may have: a carriage return before the newline is no part of the line.
  const capacity = maxBytes + 1;
  let chunk = NOTHING;
  let at = 0;
  let begun = NOTHING;
  let held = 0;
  let overflowed = false;

  const hold = (piece: Buffer): void => {
    const taken = Math.min(piece.length, capacity - held);
    if (taken < piece.length) overflowed = true;
    if (overflowed && overflow === 'drop') {
      begun = NOTHING;
      held = 0;
      return;
    }
    if (held + taken > begun.length) {
      const room = Math.max(held + taken, Math.min(capacity, begun.length * 2), MIN_PIECE);
      const grown = Buffer.allocUnsafe(room);
      begun.copy(grown, 0, 0, held);
      begun = grown;
    }
    piece.copy(begun, held, 0, taken);
    held += taken;
  };

  /** Undefined if the line is dropped. */
  const finish = (line: Buffer): Buffer | undefined => {
    const ended = !overflowed && line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    const fits = !overflowed && ended.length <= maxBytes;
    overflowed = false;
    if (fits) return ended;
    exceeded();
    return overflow === 'cut' ? ended.subarray(0, maxBytes) : undefined;
  };

  const finishHeld = (): Buffer | undefined => {
    const line = begun.subarray(0, held);
    begun = NOTHING;
    held = 0;
    return finish(line);
  };

  const isBegun = (): boolean => held > 0 || overflowed;

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
          hold(piece);
          return undefined;
        }
        at = newline + 1;
        const whole = !isBegun();
        if (!whole) hold(piece);
        const line = whole ? finish(piece) : finishHeld();
        if (line !== undefined) return line;
      }
    },
    rest: () => (isBegun() ? finishHeld() : undefined),
  };
}
