import type { Message } from '../../core/message.ts';
import { MAX_VOLATILE_BACKLOG, MAX_VOLATILE_BACKLOG_BYTES } from '../limits.ts';

/** Waiting message. `since` is the monotonic time of its arrival in milliseconds. */
export type BacklogEntry = { readonly message: Message; readonly since: number };

/** QoS 1 and 2 messages that wait in memory for the client of a session that is not persistent. */
export type Backlog = {
  /** Adds a message. Returns false if the backlog is full. */
  readonly push: (message: Message, since: number) => boolean;
  /** Returns the oldest message. Undefined if the backlog is empty. */
  readonly first: () => BacklogEntry | undefined;
  /** Removes the oldest message. */
  readonly shift: () => void;
  readonly clear: () => void;
};

/** Memory of the backlogs of all sessions together, in bytes. */
export type BacklogMemory = { readonly max: number; bytes: number };

export function createBacklog(memory: BacklogMemory): Backlog {
  let waiting: BacklogEntry[] = [];
  let head = 0;
  let bytes = 0;

  return {
    push: (message, since) => {
      const newBytes = bytes + message.body.length;
      if (waiting.length - head >= MAX_VOLATILE_BACKLOG || newBytes > MAX_VOLATILE_BACKLOG_BYTES)
        return false;
      if (memory.bytes + message.body.length > memory.max) return false;
      bytes = newBytes;
      memory.bytes += message.body.length;
      // Copies the body. The original body is a view that would keep the much larger receive buffer in
      // memory.
      waiting.push({ message: { ...message, body: Buffer.from(message.body) }, since });
      return true;
    },
    first: () => waiting[head],
    shift: () => {
      const length = waiting[head]?.message.body.length ?? 0;
      bytes -= length;
      memory.bytes -= length;
      head++;
      if (2 * head < waiting.length && head < MAX_VOLATILE_BACKLOG) return;
      waiting = waiting.slice(head);
      head = 0;
    },
    clear: () => {
      memory.bytes -= bytes;
      bytes = 0;
      waiting = [];
      head = 0;
    },
  };
}
