import { MAX_VOLATILE_BACKLOG } from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import type { DrainSettings, Entry, SimpleDrain } from '../queue/types.ts';

/** Bytes of bodies that it holds besides: a thousand pictures are no backlog for a small machine. */
const MAX_VOLATILE_BACKLOG_BYTES = 4 << 20;

/** The QoS 1 messages of a clean session, in memory: they live no longer than its connection (3.1.1, 3.1.2.4). */
export type Backlog = {
  /** False: it is full, and the message was dropped. */
  readonly push: (message: Message) => boolean;
  readonly drain: (settings: DrainSettings) => SimpleDrain;
};

export function createBacklog(): Backlog {
  const waiting: Entry[] = [];
  const outstanding = new Set<number>();
  let bytes = 0;
  let lastSequence = 0;
  let settings: DrainSettings | undefined;
  let filling = false;

  const sendFirst = (send: DrainSettings['send']): boolean => {
    const entry = waiting[0];
    if (entry === undefined) return false;
    // Noted before it is sent: a QoS 0 receiver acknowledges from within.
    outstanding.add(entry.sequence);
    if (!send(entry)) {
      outstanding.delete(entry.sequence);
      return false;
    }
    waiting.shift();
    bytes -= entry.message.body.length;
    return true;
  };

  const fill = (): void => {
    if (filling || settings === undefined) return;
    const { window, send } = settings;
    filling = true;
    while (outstanding.size < window && sendFirst(send));
    filling = false;
  };

  return {
    push: message => {
      const more = bytes + message.body.length;
      if (waiting.length >= MAX_VOLATILE_BACKLOG || more > MAX_VOLATILE_BACKLOG_BYTES) return false;
      bytes = more;
      const sequence = ++lastSequence;
      waiting.push({ message, priority: 0, sequence, remaining: message.ttl, redelivered: false });
      fill();
      return true;
    },
    drain: wanted => {
      settings = wanted;
      return {
        acknowledge: ({ sequence }) => {
          if (outstanding.delete(sequence)) fill();
        },
        wake: fill,
        stop: () => {
          settings = undefined;
        },
      };
    },
  };
}
