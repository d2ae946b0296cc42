import type { OnDurable } from '../../core/message.ts';
import type { QueueState } from '../entries/queue-state.ts';

/*
 * Failed deliveries of an entry are metadata under `attempts/<queue id>/<sequence>`, a decimal number:
 * written when a delivery fails and when that entry leaves, so that a message that is always delivered costs
 * no write.
 */
const PREFIX = 'attempts/';

export type AttemptsHost = {
  readonly queue: (id: number) => QueueState | undefined;
  /** True if the entry is in its queue. */
  readonly holds: (queue: QueueState, sequence: number) => boolean;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
};

/**
 * Failed deliveries of each entry, counted over restarts, so that a poison message becomes a dead letter
 * however often the hub restarts.
 */
export type Attempts = {
  /** Counts one more and returns the number. */
  readonly add: (queue: QueueState, sequence: number) => number;
  /** Deletes the count of an entry that left its queue. */
  readonly forget: (queue: QueueState, sequence: number) => void;
  /** Deletes all counts of a purged queue. */
  readonly forgetAll: (queue: QueueState) => void;
};

// A count that is lost allows one more attempt after a restart.
const ignore: OnDurable = () => {};

export function openAttempts({ queue, holds, names, get, put }: AttemptsHost): Attempts {
  const nameOf = ({ id }: QueueState, sequence: number): string => `${PREFIX}${id}/${sequence}`;

  for (const name of names(PREFIX)) {
    const [id, sequence] = name.slice(PREFIX.length).split('/').map(Number);
    const known = id === undefined ? undefined : queue(id);
    const count = Number(get(name)?.toString());
    if (known === undefined || sequence === undefined || known.retired || !holds(known, sequence))
      put(name, undefined, ignore);
    else if (count > 0) known.attempts.set(sequence, count);
  }

  const forget: Attempts['forget'] = (of, sequence) => {
    if (of.attempts.delete(sequence)) put(nameOf(of, sequence), undefined, ignore);
  };

  return {
    add: (of, sequence) => {
      const count = (of.attempts.get(sequence) ?? 0) + 1;
      of.attempts.set(sequence, count);
      put(nameOf(of, sequence), Buffer.from(String(count)), ignore);
      return count;
    },
    forget,
    forgetAll: of => {
      for (const sequence of of.attempts.keys()) forget(of, sequence);
    },
  };
}
