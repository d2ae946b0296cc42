import type { Message } from '../../core/message.ts';
import { MAX_VOLATILE_BACKLOG, MAX_VOLATILE_BACKLOG_BYTES } from '../limits.ts';

/** A message that waits, and since when: monotonic milliseconds. */
export type Waiting = { readonly message: Message; readonly since: number };

/** QoS 1 and 2 messages of a session that lives no longer than its connection, in memory. */
export type Backlog = {
  /** False: it is full. */
  readonly push: (message: Message, since: number) => boolean;
  readonly first: () => Waiting | undefined;
  readonly shift: () => void;
  /** Forgets all messages. */
  readonly clear: () => void;
};

/** Memory of the backlogs of all sessions, and the most that it may be. */
export type BacklogMemory = { readonly most: number; bytes: number };

export function createBacklog(memory: BacklogMemory): Backlog {
  let waiting: Waiting[] = [];
  let head = 0;
  let bytes = 0;

  return {
    push: (message, since) => {
      const more = bytes + message.body.length;
      if (waiting.length - head >= MAX_VOLATILE_BACKLOG || more > MAX_VOLATILE_BACKLOG_BYTES) return false;
      if (memory.bytes + message.body.length > memory.most) return false;
      bytes = more;
      memory.bytes += message.body.length;
      // Its body lies in what the socket brought, which is much longer.
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
