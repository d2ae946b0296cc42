import { MAX_ATTEMPTS } from '../../queue/limits.ts';
import { MAX_POISON_MESSAGES, POISON_THRESHOLD, UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/** Precautions of a new link after connections that ended without any acknowledgement. */
export type Caution = {
  /**
   * True if messages are sent one at a time at the start of the link, because one of the messages is possibly
   * a poison message (a message for which the server closes each connection).
   */
  readonly careful: boolean;
  /**
   * Sequence numbers of deferred messages. The hub sends them after the server has acknowledged another
   * message.
   */
  readonly aside: ReadonlySet<number>;
};

/**
 * Detection of poison messages: messages for which the server closes each connection. A message is suspected
 * if POISON_THRESHOLD connections in a row ended while only this message was in flight. A suspected message
 * counts as poison if the server, on one link, acknowledges another message and then closes the link when the
 * suspected message is sent. Random network failures therefore make no message poison. If the server never
 * acknowledges any message, a message counts as poison after MAX_ATTEMPTS failed links. Otherwise the message
 * would block the queue forever.
 */
export type PoisonDetection = {
  /**
   * Returns the precautions for a new link. `alone` is true if the link must send messages one at a time even
   * without earlier failures.
   */
  readonly begin: (alone: boolean) => Caution;
  /** Records that the server acknowledged a message. */
  readonly taken: (sequence: number) => void;
  /**
   * Records that the link is stable. Suspected messages remain suspected, because the link has possibly not
   * sent them.
   */
  readonly held: () => void;
  /**
   * Records that the server ended the link. `alone` is the sequence number of the only message in flight.
   * `sure` is true if the server named a packet of the hub as the cause. Returns true if the message `alone`
   * is poison.
   */
  readonly ended: (alone: number | undefined, sure: boolean) => boolean;
  /** Records that the link ended because of the network or a timeout. */
  readonly lost: () => void;
};

/** Numbers of links that ended while only one particular message was in flight. */
type Failures = {
  /** Number of failures in a row, without a network error between them. */
  row: number;
  total: number;
};

const NONE: ReadonlySet<number> = new Set<number>();

export function createPoisonDetection(): PoisonDetection {
  const suspected = new Map<number, Failures>();
  let unproductive = 0;
  let careful = false;
  /** True if the server has acknowledged a message on this link. */
  let hasProgress = false;

  const isDue = (): boolean => Array.from(suspected.values()).some(({ row }) => row >= POISON_THRESHOLD);

  /**
   * Resets the failures in a row of all messages. Called when so many messages fail that no single message is
   * the cause. Does not reset the totals of messages that failed often, so that MAX_ATTEMPTS still applies.
   */
  const clearAll = (): void => {
    for (const [sequence, counts] of suspected) {
      counts.row = 0;
      if (counts.total < POISON_THRESHOLD) suspected.delete(sequence);
    }
    if (suspected.size > MAX_POISON_MESSAGES) suspected.clear();
  };

  return {
    begin: alone => {
      careful = alone || unproductive >= UNPRODUCTIVE_CONNECTIONS;
      hasProgress = false;
      return { careful, aside: careful && isDue() ? new Set(suspected.keys()) : NONE };
    },
    taken: sequence => {
      unproductive = 0;
      hasProgress = true;
      if (suspected.size > 0) suspected.delete(sequence);
    },
    held: () => {
      unproductive = 0;
    },
    ended: (alone, sure) => {
      unproductive = sure || careful ? UNPRODUCTIVE_CONNECTIONS : unproductive + 1;
      if (!careful || alone === undefined) return false;
      const counts = suspected.get(alone) ?? { row: 0, total: 0 };
      counts.row++;
      counts.total++;
      suspected.set(alone, counts);
      const isPoison =
        sure || (hasProgress && counts.row >= POISON_THRESHOLD) || counts.total >= MAX_ATTEMPTS;
      if (isPoison) suspected.delete(alone);
      else if (suspected.size > MAX_POISON_MESSAGES) clearAll();
      return isPoison;
    },
    lost: () => {
      for (const counts of suspected.values()) counts.row = 0;
    },
  };
}
