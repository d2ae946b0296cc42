import type { Pending } from '../entries/queue-state.ts';

/** Bytes of memory that a gathered message costs besides its body: entry, callback, fields. */
const MESSAGE_BYTES = 600;

/** Memory of messages that are gathered or being written. */
export type PendingMemory = {
  /** Adds a gathered message. */
  readonly add: (pending: Pending) => void;
  /** Adds a metadata value. */
  readonly addMetadata: (name: string, value: Buffer | undefined) => void;
  /** Counts everything gathered as being written. Messages that stay behind are added again. */
  readonly committing: () => void;
  readonly committed: () => void;
  readonly bytes: () => number;
};

/**
 * Creates the count. A body is a slice of a socket's chunk and keeps the whole chunk in memory. Bodies of one
 * chunk follow each other, so a chunk is counted with its first body.
 */
export function createPendingMemory(): PendingMemory {
  let gathered = 0;
  let writing = 0;
  let piece: ArrayBufferLike | undefined;
  return {
    add: ({ message }) => {
      gathered += MESSAGE_BYTES;
      const buffer = message?.body.buffer;
      if (buffer === undefined || buffer === piece) return;
      piece = buffer;
      gathered += buffer.byteLength;
    },
    addMetadata: (name, value) => {
      gathered += MESSAGE_BYTES + name.length + (value?.length ?? 0);
    },
    committing: () => {
      writing += gathered;
      gathered = 0;
      piece = undefined;
    },
    committed: () => {
      writing = 0;
    },
    bytes: () => gathered + writing,
  };
}
