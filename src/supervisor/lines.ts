const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Bytes that the first piece of a line takes at least: a line that comes byte by byte grows few times. */
const SMALLEST_PIECE = 256;

const NOTHING: Buffer = Buffer.alloc(0);

/** Splits a stream of bytes into lines, on demand: what was not asked for waits in the chunk. */
export type LineSplitter = {
  /** The next bytes of the stream; only once `next` has returned undefined. */
  readonly push: (chunk: Buffer) => void;
  /**
   * The next whole line without its end (LF or CR LF); undefined: it takes more bytes. A line within one chunk is
   * a view of that chunk, not a copy. Bytes are never decoded.
   */
  readonly next: () => Buffer | undefined;
  /** At the end of the stream: the line that has no end, if one was begun. */
  readonly rest: () => Buffer | undefined;
};

/** A line longer than `most` bytes is cut there and `cut` is called; of the stream no more than that is held. */
export function createLineSplitter(most: number, cut: () => void): LineSplitter {
  // One byte more than a line may have: a carriage return before the newline is no part of the line.
  const capacity = most + 1;
  let chunk = NOTHING;
  let at = 0;
  let begun = NOTHING;
  let held = 0;
  let overflowed = false;

  const hold = (piece: Buffer): void => {
    const taken = Math.min(piece.length, capacity - held);
    if (taken < piece.length) overflowed = true;
    if (held + taken > begun.length) {
      const room = Math.max(held + taken, Math.min(capacity, begun.length * 2), SMALLEST_PIECE);
      const grown = Buffer.allocUnsafe(room);
      begun.copy(grown, 0, 0, held);
      begun = grown;
    }
    piece.copy(begun, held, 0, taken);
    held += taken;
  };

  const finish = (line: Buffer): Buffer => {
    const ended = !overflowed && line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    overflowed = false;
    if (ended.length <= most) return ended;
    cut();
    return ended.subarray(0, most);
  };

  const finishHeld = (): Buffer => {
    const line = begun.subarray(0, held);
    begun = NOTHING;
    held = 0;
    return finish(line);
  };

  return {
    push: bytes => {
      chunk = bytes;
      at = 0;
    },
    next: () => {
      const newline = chunk.indexOf(NEWLINE, at);
      const piece = chunk.subarray(at, newline === -1 ? chunk.length : newline);
      if (newline === -1) {
        chunk = NOTHING;
        at = 0;
        hold(piece);
        return undefined;
      }
      at = newline + 1;
      if (held === 0) return finish(piece);
      hold(piece);
      return finishHeld();
    },
    rest: () => (held === 0 ? undefined : finishHeld()),
  };
}
