import type { Pending } from '../entries/queue-state.ts';

/** Estimated bytes of memory of a gathered message without its body: entry, callback, fields. */
const MESSAGE_BYTES = 600;

/** Bytes of memory of messages that are gathered or being written. */
export type PendingMemory = {
  /** Adds a message that was gathered for the next commit. */
  readonly add: (pending: Pending) => void;
  readonly addMetadata: (name: string, value: Buffer | undefined) => void;
  /**
   * Counts all gathered data as being written. Afterwards the caller adds all messages again that are not
   * part of the commit.
   */
  readonly committing: () => void;
  /** Subtracts the data that was being written. Called when the commit has ended. */
  readonly committed: () => void;
  readonly bytes: () => number;
};

/**
 * Creates the counter. A body is a slice of a socket buffer and keeps the whole buffer in memory, so the size
 * of the whole buffer is counted. Consecutive bodies in the same buffer count once.
 */
export function createPendingMemory(): PendingMemory {
  let gathered = 0;
  let writing = 0;
  let lastBuffer: ArrayBufferLike | undefined;
  return {
    add: ({ message }) => {
      gathered += MESSAGE_BYTES;
      const buffer = message?.body.buffer;
      if (buffer === undefined || buffer === lastBuffer) return;
      lastBuffer = buffer;
      gathered += buffer.byteLength;
    },
    addMetadata: (name, value) => {
      gathered += MESSAGE_BYTES + name.length + (value?.length ?? 0);
    },
    committing: () => {
      writing += gathered;
      gathered = 0;
      lastBuffer = undefined;
    },
    committed: () => {
      writing = 0;
    },
    bytes: () => gathered + writing,
  };
}
