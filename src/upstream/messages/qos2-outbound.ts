import type { OnDurable } from '../../core/message.ts';
import { packetIdOf } from '../../mqtt/inflight.ts';

/** Durable record of QoS 2 messages that the upstream has received and whose PUBCOMP has not arrived. */
export type Qos2OutboundStore = {
  /** Packet identifiers and their sequences, in message order. */
  readonly load: () => [packetId: number, sequence: number][];
  readonly keep: (packetId: number, sequence: number) => void;
  readonly forget: (packetId: number) => void;
  /** Sequences of sent and unacknowledged messages. */
  readonly loadUnanswered: () => readonly number[];
  readonly keepUnanswered: (sequences: readonly number[]) => void;
  /** Sequences of the first `count` messages of each priority in the queue. */
  readonly first: (count: number) => readonly number[];
};

/** Packet identifiers with PUBREC and without PUBCOMP (MQTT 5, 4.3.3), across connections and restarts. */
export type Qos2Outbound = {
  readonly all: () => Iterable<number>;
  /** Records that a message was published under an identifier; `answered` records its acknowledgement. */
  readonly published: (packetId: number, sequence: number) => void;
  readonly answered: (packetId: number) => void;
  /**
   * True if another message may have been sent under the identifier and then expired in the queue without an
   * acknowledgement. The upstream may have that message and would mistake a new one for it, so it must be
   * released first.
   */
  readonly isStale: (packetId: number, sequence: number) => boolean;
  /** Sequence of an identifier. */
  readonly sequenceOf: (packetId: number) => number | undefined;
  /** Records PUBREC. `acknowledge` removes the message from its queue. */
  readonly received: (packetId: number, sequence: number, acknowledge: (settle: OnDurable) => void) => void;
  /** Sets the link that is notified when both are on disk. */
  readonly listen: (kept: (packetId: number) => void) => void;
  /** True if the PUBREC is durable. */
  readonly isKept: (packetId: number) => boolean;
  /** Number of identifiers whose PUBREL waits for the disk. */
  readonly unsent: () => number;
  readonly completed: (packetId: number) => void;
  /** Called when the link is closed: stores the unacknowledged sequences. */
  readonly suspend: () => void;
  /** Called when the upstream has lost the session. */
  readonly forgetAll: () => void;
};

/**
 * Loads the releases. `window` is the number of messages that may have been in flight when the hub ended; 0
 * if none was at QoS 2.
 */
export function openQos2Outbound(store: Qos2OutboundStore, window: number): Qos2Outbound {
  const released = new Map<number, { readonly sequence: number; kept: boolean }>();
  for (const [packetId, sequence] of store.load()) released.set(packetId, { sequence, kept: true });

  /** Unacknowledged sequences by identifier, bounded by the number of identifiers. */
  const unanswered = new Map<number, number>();
  let noted = '';

  const suspend = (): void => {
    const sequences = [...unanswered.values()];
    if (sequences.join() === noted) return;
    noted = sequences.join();
    store.keepUnanswered(sequences);
  };
  const remember = (sequences: readonly number[]): void => {
    for (const sequence of sequences) unanswered.set(packetIdOf(sequence), sequence);
  };

  if (window > 0) {
    remember(store.loadUnanswered());
    noted = [...unanswered.values()].join();
    // A killed hub could not store what was in flight. It is still at the head of the queue until it expires.
    remember(store.first(window));
    suspend();
  }

  let heard: (packetId: number) => void = () => {};

  const completed = (packetId: number): void => {
    unanswered.delete(packetId);
    if (released.delete(packetId)) store.forget(packetId);
  };

  return {
    published: (packetId, sequence) => {
      unanswered.set(packetId, sequence);
    },
    answered: packetId => {
      unanswered.delete(packetId);
    },
    isStale: (packetId, sequence) => (unanswered.get(packetId) ?? sequence) !== sequence,
    all: () => released.keys(),
    sequenceOf: packetId => released.get(packetId)?.sequence,
    received: (packetId, sequence, acknowledge) => {
      const one = { sequence, kept: false };
      released.set(packetId, one);
      store.keep(packetId, sequence);
      acknowledge(error => {
        if (error !== undefined || released.get(packetId) !== one) return;
        one.kept = true;
        heard(packetId);
      });
    },
    listen: kept => {
      heard = kept;
    },
    isKept: packetId => released.get(packetId)?.kept === true,
    unsent: () => Array.from(released.values()).filter(({ kept }) => !kept).length,
    completed,
    suspend,
    forgetAll: () => {
      unanswered.clear();
      suspend();
      for (const packetId of [...released.keys()]) completed(packetId);
    },
  };
}
