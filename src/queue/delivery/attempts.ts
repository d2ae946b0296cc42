import type { OnDurable } from '../../core/message.ts';
import type { QueueState } from '../entries/queue-state.ts';

/*
 * The number of failed deliveries of an entry is metadata under `attempts/<queue id>/<sequence>`, as decimal
 * digits. The number is written when a delivery fails and deleted when the entry is removed. A message
 * without a failed delivery therefore costs no write.
 */
const PREFIX = 'attempts/';

export type AttemptsHost = {
  readonly queue: (id: number) => QueueState | undefined;
  /** True if the entry is in the queue. */
  readonly holds: (queue: QueueState, sequence: number) => boolean;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
};

/**
 * Number of failed deliveries of each entry. The count survives restarts. A message that crashes the hub at
 * each delivery therefore becomes a dead letter, too.
 */
export type Attempts = {
  /** Counts one failed delivery and returns the number of failures. */
  readonly add: (queue: QueueState, sequence: number) => number;
  /** Deletes the count of an entry that was removed from its queue. */
  readonly forget: (queue: QueueState, sequence: number) => void;
  /** Deletes all counts of a purged queue. */
  readonly forgetAll: (queue: QueueState) => void;
};

// A failed write of a count is ignored. The entry then gets one more attempt after a restart.
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

  const forget: Attempts['forget'] = (queueState, sequence) => {
    if (queueState.attempts.delete(sequence)) put(nameOf(queueState, sequence), undefined, ignore);
  };

  return {
    add: (queueState, sequence) => {
      const count = (queueState.attempts.get(sequence) ?? 0) + 1;
      queueState.attempts.set(sequence, count);
      put(nameOf(queueState, sequence), Buffer.from(String(count)), ignore);
      return count;
    },
    forget,
    forgetAll: queueState => {
      for (const sequence of queueState.attempts.keys()) forget(queueState, sequence);
    },
  };
}
