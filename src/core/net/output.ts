import type { Writable } from 'node:stream';
import { MIN_SOCKET_BACKLOG_BYTES } from '../limits.ts';
import type { SocketMemory } from './socket-memory.ts';

/** Bytes of one slab (buffer for packets): the usual output of a socket in one turn of the event loop. */
const SLAB_BYTES = 1 << 16;

/** Maximum number of unused slabs in memory. Any socket can reuse them. */
const MAX_SPARE = 16;

/** Maximum bytes of a buffer that is copied into a slab. Longer buffers are sent as separate pieces. */
const MAX_COPIED = 1 << 12;

/**
 * Output buffer of one socket. Packets are encoded in place one after another and sent by one write at the
 * end of the turn of the event loop. A socket without output uses no memory for a buffer.
 */
export type Output = {
  /** Reserves `size` bytes that the caller fills immediately. Returns their offset in `slab()`. */
  readonly place: (size: number) => number;
  readonly slab: () => Buffer;
  /** Releases the last `size` reserved bytes. Called if the caller could not fill them. */
  readonly undo: (size: number) => void;
  /** Sends bytes that must not change later. A long buffer is not copied. */
  readonly write: (bytes: Buffer) => void;
  /** Returns the number of bytes that the kernel has not accepted yet. */
  readonly waiting: () => number;
  /** True if the unsent bytes exceed the limit. The caller then writes nothing until `drained` is called. */
  readonly isFull: () => boolean;
  /** Counts the unsent bytes of the socket again. Called when the socket has drained or closed. */
  readonly measure: () => void;
  /** Sends the bytes that were written in this turn of the event loop. */
  readonly flush: () => void;
};

const spare: Buffer[] = [];
const NO_SLAB: Buffer = Buffer.alloc(0);

/** Outputs with bytes to send in this turn of the event loop. */
let unsent: Output[] = [];

function flushAll(): void {
  const outputs = unsent;
  unsent = [];
  for (const output of outputs) output.flush();
}

/** Methods of a socket that an output uses. */
type Sink = Pick<Writable, 'write' | 'cork' | 'uncork' | 'writableLength' | 'destroyed'>;

/**
 * Creates the output of a socket. After `isFull` has returned true, calls `drained` as soon as the unsent
 * bytes are at most MIN_SOCKET_BACKLOG_BYTES, which is below every limit. The event `drain` does not suffice:
 * Node does not emit `drain` if the kernel accepts a write immediately, or if fewer than 64 KB are unsent.
 */
export function createOutput(socket: Sink, memory: SocketMemory, drained: () => void): Output {
  /** Buffers to send before the bytes of the slab. */
  let pieces: Buffer[] = [];
  let slabs: Buffer[] = [];
  let slab = NO_SLAB;
  let start = 0;
  let end = 0;
  let bytes = 0;
  let scheduled = false;
  /** Number of unsent bytes of the socket when it was last measured. */
  let counted = 0;
  /** True if `isFull` has returned true and `drained` has not been called since then. */
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

  /** Saves the slabs for reuse. Called when the kernel has accepted all bytes. */
  const recycle = (): void => {
    if (slab.length === SLAB_BYTES) slabs.push(slab);
    for (const used of slabs) if (spare.length < MAX_SPARE) spare.push(used);
  };

  const waiting = (): number => bytes + socket.writableLength;

  const settle = (): void => {
    measure();
    if (!refused || socket.destroyed || waiting() > MIN_SOCKET_BACKLOG_BYTES) return;
    refused = false;
    drained();
  };

  /**
   * Sends the pieces. If more than MIN_SOCKET_BACKLOG_BYTES are unsent, the socket calls `settle` when the
   * kernel has accepted the pieces. With fewer unsent bytes, no sender waits for `settle`, because `isFull`
   * has not been true.
   */
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
    write: buffer => {
      if (buffer.length <= MAX_COPIED) {
        const at = place(buffer.length);
        slab.set(buffer, at);
        return;
      }
      seal();
      pieces.push(buffer);
      bytes += buffer.length;
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
