import { MAX_ATTEMPTS } from '../../queue/limits.ts';
import { MAX_POISON_MESSAGES, POISON_THRESHOLD, UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/** Precautions of a link after unproductive connections. */
export type Caution = {
  /** Sends one message at a time at first, because one of them may be a poison message. */
  readonly careful: boolean;
  /** Sequences of messages that are deferred until another message was acknowledged. */
  readonly aside: ReadonlySet<number>;
};

/**
 * Detection of poison messages. A message is poison if connections repeatedly ended with it alone in flight,
 * the upstream then acknowledged another message in its place, and that link ended again for the same
 * message. Thus a network that cuts at random makes no message poison. An upstream that accepts nothing at
 * all makes one only after MAX_ATTEMPTS, because many such messages in a row would otherwise block all others
 * forever.
 */
export type PoisonDetection = {
  /** Starts a link. `alone` forces one message at a time. */
  readonly begin: (alone: boolean) => Caution;
  readonly taken: (sequence: number) => void;
  /** Records that the link is stable. That clears no message, because perhaps none was sent. */
  readonly held: () => void;
  /**
   * Records that the upstream ended the link; `sure` if it named a packet as the cause. Returns true if the
   * single message in flight is poison.
   */
  readonly ended: (alone: number | undefined, sure: boolean) => boolean;
  /** Records that the link ended for another reason. */
  readonly lost: () => void;
};

type Strikes = {
  /** Consecutive failures since the network was last a possible cause. */
  row: number;
  total: number;
};

const NOBODY: ReadonlySet<number> = new Set<number>();

export function createPoisonDetection(): PoisonDetection {
  const suspects = new Map<number, Strikes>();
  let fruitless = 0;
  let careful = false;
  /** True if the upstream acknowledged a message on this link. */
  let hasProgress = false;

  const isDue = (): boolean => Array.from(suspects.values()).some(({ row }) => row >= POISON_THRESHOLD);

  /**
   * Clears all failures in a row, except the total of the first messages, because the upstream accepts none
   * of them.
   */
  const clearAll = (): void => {
    for (const [sequence, one] of suspects) {
      one.row = 0;
      if (one.total < POISON_THRESHOLD) suspects.delete(sequence);
    }
    if (suspects.size > MAX_POISON_MESSAGES) suspects.clear();
  };

  return {
    begin: alone => {
      careful = alone || fruitless >= UNPRODUCTIVE_CONNECTIONS;
      hasProgress = false;
      return { careful, aside: careful && isDue() ? new Set(suspects.keys()) : NOBODY };
    },
    taken: sequence => {
      fruitless = 0;
      hasProgress = true;
      if (suspects.size > 0) suspects.delete(sequence);
    },
    held: () => {
      fruitless = 0;
    },
    ended: (alone, sure) => {
      fruitless = sure || careful ? UNPRODUCTIVE_CONNECTIONS : fruitless + 1;
      if (!careful || alone === undefined) return false;
      const one = suspects.get(alone) ?? { row: 0, total: 0 };
      one.row++;
      one.total++;
      suspects.set(alone, one);
      const guilty = sure || (hasProgress && one.row >= POISON_THRESHOLD) || one.total >= MAX_ATTEMPTS;
      if (guilty) suspects.delete(alone);
      else if (suspects.size > MAX_POISON_MESSAGES) clearAll();
      return guilty;
    },
    lost: () => {
      for (const one of suspects.values()) one.row = 0;
    },
  };
}
