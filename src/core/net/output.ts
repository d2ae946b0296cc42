import type { Writable } from 'node:stream';
import { MIN_SOCKET_BACKLOG_BYTES } from '../limits.ts';
import type { SocketMemory } from './socket-memory.ts';

/** Bytes of one slab, the usual output of one socket in a turn of the event loop. */
const SLAB_BYTES = 1 << 16;

/** Slabs that are kept for the next turn, whichever socket needs them. */
const MAX_SPARE = 16;

/** Longer buffers are not copied, because a separate piece is cheaper. */
const MAX_COPIED = 1 << 12;

/**
 * The way out of one socket: packets are made in place, one behind the other, and go out in one write at the
 * end of the turn of the loop. A socket that has nothing to send holds no memory for it.
 */
export type Output = {
  /** Makes room for `size` bytes, which the caller fills at once: they begin here in `slab()`. */
  readonly place: (size: number) => number;
  readonly slab: () => Buffer;
  /** Takes back the last `size` bytes that were placed, which could not be filled. */
  readonly undo: (size: number) => void;
  /** Sends bytes that must not change later. Long ones are not copied. */
  readonly write: (bytes: Buffer) => void;
  /** Bytes that the system has not taken yet. */
  readonly waiting: () => number;
  /** True if no more should be written before the system has taken some. */
  readonly isFull: () => boolean;
  /** Counts again what waits in the socket, after it has drained or closed. */
  readonly measure: () => void;
  /** Sends at once what was written in this turn. */
  readonly flush: () => void;
};

const spare: Buffer[] = [];
const NO_SLAB: Buffer = Buffer.alloc(0);

/** Outputs that have something to send in this turn. */
let unsent: Output[] = [];

function flushAll(): void {
  const outputs = unsent;
  unsent = [];
  for (const output of outputs) output.flush();
}

/** Part of a socket that an output uses. */
type Sink = Pick<Writable, 'write' | 'cork' | 'uncork' | 'writableLength' | 'destroyed'>;

/**
 * Creates the output of a socket. `drained` is called after `isFull` was true, as soon as the system has
 * accepted so much that no limit is reached. The event `drain` cannot serve for this: Node emits it neither
 * for a write that the system accepts at once, nor below its own limit of 64 KB.
 */
export function createOutput(socket: Sink, memory: SocketMemory, drained: () => void): Output {
  /** Pieces that go out before the slab's. */
  let pieces: Buffer[] = [];
  let slabs: Buffer[] = [];
  let slab = NO_SLAB;
  let start = 0;
  let end = 0;
  let bytes = 0;
  let scheduled = false;
  /** Bytes in the socket as they were counted last. */
  let counted = 0;
  /** True if a caller was told that the output is full and `drained` was not called since. */
  let refused = false;

  const measure = (): void => {
    const now = socket.destroyed ? 0 : socket.writableLength;
    memory.changed(counted, now);
    counted = now;
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    if (unsent.push(output) === 1) setImmediate(flushAll);
  };

  const seal = (): void => {
    if (end > start) pieces.push(slab.subarray(start, end));
    start = end;
  };

  const renew = (size: number): void => {
    seal();
    if (slab.length === SLAB_BYTES) slabs.push(slab);
    slab = size > SLAB_BYTES ? Buffer.allocUnsafeSlow(size) : (spare.pop() ?? newSlab());
    start = 0;
    end = 0;
  };

  const place = (size: number): number => {
    if (end + size > slab.length) renew(size);
    const at = end;
    end += size;
    bytes += size;
    schedule();
    return at;
  };

  /** Reuses slabs once the kernel has accepted all bytes. */
  const recycle = (): void => {
    if (slab.length === SLAB_BYTES) slabs.push(slab);
    for (const one of slabs) if (spare.length < MAX_SPARE) spare.push(one);
  };

  const waiting = (): number => bytes + socket.writableLength;

  const settle = (): void => {
    measure();
    if (!refused || socket.destroyed || waiting() > MIN_SOCKET_BACKLOG_BYTES) return;
    refused = false;
    drained();
  };

  /** Sends the pieces. No limit is below MIN_SOCKET_BACKLOG_BYTES, so nobody waits for fewer bytes. */
  const send = (): void => {
    const accepted = waiting() > MIN_SOCKET_BACKLOG_BYTES ? settle : undefined;
    const last = pieces.length - 1;
    if (last > 0) socket.cork();
    for (let index = 0; index < last; index++) socket.write(pieces[index]);
    socket.write(pieces[last], accepted);
    if (last > 0) socket.uncork();
  };

  const output: Output = {
    place,
    slab: () => slab,
    undo: size => {
      end -= size;
      bytes -= size;
    },
    write: more => {
      if (more.length <= MAX_COPIED) {
        const at = place(more.length);
        slab.set(more, at);
        return;
      }
      seal();
      pieces.push(more);
      bytes += more.length;
      schedule();
    },
    waiting,
    isFull: () => {
      const full = waiting() > memory.limit();
      refused ||= full;
      return full;
    },
    measure,
    flush: () => {
      scheduled = false;
      seal();
      if (pieces.length > 0) send();
      if (socket.writableLength === 0) recycle();
      pieces = [];
      slabs = [];
      slab = NO_SLAB;
      start = 0;
      end = 0;
      bytes = 0;
      settle();
    },
  };
  return output;
}

function newSlab(): Buffer {
  return Buffer.allocUnsafeSlow(SLAB_BYTES);
}
