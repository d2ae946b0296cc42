import { MAX_ATTEMPTS } from '../queue/limits.ts';
import { MAX_POISON_MESSAGES, POISON_THRESHOLD, UNPRODUCTIVE_CONNECTIONS } from './limits.ts';

/** How a link goes after others that the upstream ended without having taken anything. */
export type Caution = {
  /** One message at a time first: one of them may be what it ends its links for. */
  readonly careful: boolean;
  /** Sequences of messages that stay behind until it has taken another one. */
  readonly aside: ReadonlySet<number>;
};

/**
 * Messages that the upstream may be ending its links for. One is to blame if that happened again and again with it alone
 * under way, the upstream then took another in its place, and ended that same link for it once more. So a network that cuts
 * at random blames nobody, and an upstream that takes nothing at all hardly: only after MAX_ATTEMPTS one, or many in a row
 * that are to blame would stand in the way of all others for ever.
 */
export type Suspects = {
  /** A link begins; `alone`: with one message at a time, whatever was before. */
  readonly begin: (alone: boolean) => Caution;
  readonly taken: (sequence: number) => void;
  /** The link has held for long. That speaks for no message: perhaps it was sent none. */
  readonly held: () => void;
  /** The upstream ended the link, `sure`: and said that it was for what it was sent. True: the message that was alone is to blame. */
  readonly ended: (alone: number | undefined, sure: boolean) => boolean;
  /** The link was lost, and not for a message. */
  readonly lost: () => void;
};

type Strikes = {
  /** Since anything spoke for the network as the one to blame. */
  row: number;
  total: number;
};

const NOBODY: ReadonlySet<number> = new Set<number>();

export function createSuspects(): Suspects {
  const suspects = new Map<number, Strikes>();
  let fruitless = 0;
  let careful = false;
  /** The upstream has taken a message on this link. */
  let witnessed = false;

  const isDue = (): boolean => Array.from(suspects.values()).some(({ row }) => row >= POISON_THRESHOLD);

  /** It takes none of them: all begin anew, but for how often the first ones failed in all. */
  const acquit = (): void => {
    for (const [sequence, one] of suspects) {
      one.row = 0;
      if (one.total < POISON_THRESHOLD) suspects.delete(sequence);
    }
    if (suspects.size > MAX_POISON_MESSAGES) suspects.clear();
  };

  return {
    begin: alone => {
      careful = alone || fruitless >= UNPRODUCTIVE_CONNECTIONS;
      witnessed = false;
      return { careful, aside: careful && isDue() ? new Set(suspects.keys()) : NOBODY };
    },
    taken: sequence => {
      fruitless = 0;
      witnessed = true;
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
      const guilty = sure || (witnessed && one.row >= POISON_THRESHOLD) || one.total >= MAX_ATTEMPTS;
      if (guilty) suspects.delete(alone);
      else if (suspects.size > MAX_POISON_MESSAGES) acquit();
      return guilty;
    },
    lost: () => {
      for (const one of suspects.values()) one.row = 0;
    },
  };
}
