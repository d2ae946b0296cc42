import type { Pending } from '../entries/queue-state.ts';

/** Bytes of memory that a gathered message costs beside its body: its entry, its sender's callback, its fields. */
const MESSAGE_BYTES = 600;

/** Memory of what waits for the journal: what is gathered, and what is being written. */
export type PendingMemory = {
  /** A message was gathered. */
  readonly add: (pending: Pending) => void;
  /** A value of settled state was. */
  readonly addMetadata: (name: string, value: Buffer | undefined) => void;
  /** All that is gathered is being written; what stays behind is added again. */
  readonly committing: () => void;
  readonly committed: () => void;
  readonly bytes: () => number;
};

/**
 * A body is a part of what its socket brought in one piece, and keeps all of that piece in memory. Bodies of one piece
 * follow each other, so a piece is counted with the first of them.
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
