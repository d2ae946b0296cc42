import type { Message } from '../../core/message.ts';
import { MAX_VOLATILE_BACKLOG, MAX_VOLATILE_BACKLOG_BYTES } from '../limits.ts';

/** Waiting message and its monotonic arrival time in milliseconds. */
export type Waiting = { readonly message: Message; readonly since: number };

/** In-memory QoS 1 and 2 messages of a session that is not persistent. */
export type Backlog = {
  /** Adds a message. Returns false if the backlog is full. */
  readonly push: (message: Message, since: number) => boolean;
  readonly first: () => Waiting | undefined;
  readonly shift: () => void;
  /** Forgets all messages. */
  readonly clear: () => void;
};

/** Memory of all backlogs and its maximum in bytes. */
export type BacklogMemory = { readonly max: number; bytes: number };

export function createBacklog(memory: BacklogMemory): Backlog {
  let waiting: Waiting[] = [];
  let head = 0;
  let bytes = 0;

  return {
    push: (message, since) => {
      const more = bytes + message.body.length;
      if (waiting.length - head >= MAX_VOLATILE_BACKLOG || more > MAX_VOLATILE_BACKLOG_BYTES) return false;
      if (memory.bytes + message.body.length > memory.max) return false;
      bytes = more;
      memory.bytes += message.body.length;
      // Copied, because the body is a view of the much larger receive buffer.
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
