import type { OnDurable } from '../../core/message.ts';
import { packetIdOf } from '../../mqtt/inflight.ts';

/** Durable record of QoS 2 messages whose PUBREC has arrived and whose PUBCOMP has not. */
export type Qos2OutboundStore = {
  /** Returns packet identifiers and the sequence numbers of the messages, in message order. */
  readonly load: () => [packetId: number, sequence: number][];
  readonly keep: (packetId: number, sequence: number) => void;
  readonly forget: (packetId: number) => void;
  /** Returns the sequence numbers of sent and unacknowledged messages. */
  readonly loadUnanswered: () => readonly number[];
  readonly keepUnanswered: (sequences: readonly number[]) => void;
  /** Returns the sequence numbers of the first `count` messages of each priority in the queue. */
  readonly first: (count: number) => readonly number[];
};

/**
 * Packet identifiers of sent QoS 2 messages whose PUBREC has arrived and whose PUBCOMP has not (MQTT 5,
 * 4.3.3). The identifiers survive reconnects and restarts.
 */
export type Qos2Outbound = {
  readonly all: () => Iterable<number>;
  /** Records that a message was published with this packet identifier. */
  readonly published: (packetId: number, sequence: number) => void;
  /** Records that the message with this packet identifier was acknowledged. */
  readonly answered: (packetId: number) => void;
  /**
   * Returns true if another message was sent with this packet identifier and expired in the queue without an
   * acknowledgement. PUBREL must then be sent first. Otherwise a server that has stored the expired message
   * treats the new message with this packet identifier as a duplicate.
   */
  readonly isStale: (packetId: number, sequence: number) => boolean;
  /**
   * Returns the sequence number of the message under an identifier whose PUBREC has arrived. Returns
   * undefined for any other identifier.
   */
  readonly sequenceOf: (packetId: number) => number | undefined;
  /** Records PUBREC. `acknowledge` removes the message from its queue. */
  readonly received: (packetId: number, sequence: number, acknowledge: (settle: OnDurable) => void) => void;
  /**
   * Sets the callback that is called when the PUBREC for an identifier is durable and the message is removed
   * from the queue.
   */
  readonly listen: (kept: (packetId: number) => void) => void;
  /** Returns true if the PUBREC is durable. */
  readonly isKept: (packetId: number) => boolean;
  /**
   * Returns the number of identifiers whose PUBREC is not durable yet. PUBREL has not been sent for these
   * identifiers.
   */
  readonly unsent: () => number;
  /** Records PUBCOMP. */
  readonly completed: (packetId: number) => void;
  /** Stores the sequence numbers of unacknowledged messages. Called when the link is closed. */
  readonly suspend: () => void;
  /** Deletes all records. Called when the server has lost the session. */
  readonly forgetAll: () => void;
};

/**
 * Loads the stored packet identifiers. `window` is the maximum number of QoS 2 messages that could be in
 * flight when the hub exited, or 0 if QoS 2 is not used.
 */
export function openQos2Outbound(store: Qos2OutboundStore, window: number): Qos2Outbound {
  const released = new Map<number, { readonly sequence: number; kept: boolean }>();
  for (const [packetId, sequence] of store.load()) released.set(packetId, { sequence, kept: true });

  /**
   * Sequence numbers of unacknowledged messages, by packet identifier. Bounded by the number of packet
   * identifiers.
   */
  const unanswered = new Map<number, number>();
  let storedSequences = '';

  const suspend = (): void => {
    const sequences = [...unanswered.values()];
    if (sequences.join() === storedSequences) return;
    storedSequences = sequences.join();
    store.keepUnanswered(sequences);
  };
  const addUnanswered = (sequences: readonly number[]): void => {
    for (const sequence of sequences) unanswered.set(packetIdOf(sequence), sequence);
  };

  if (window > 0) {
    addUnanswered(store.loadUnanswered());
    storedSequences = [...unanswered.values()].join();
    // A hub that was killed could not store which messages were in flight. These messages are still at the
    // head of the queue if they have not expired.
    addUnanswered(store.first(window));
    suspend();
  }

  let onKept: (packetId: number) => void = () => {};

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
      const entry = { sequence, kept: false };
      released.set(packetId, entry);
      store.keep(packetId, sequence);
      acknowledge(error => {
        if (error !== undefined || released.get(packetId) !== entry) return;
        entry.kept = true;
        onKept(packetId);
      });
    },
    listen: kept => {
      onKept = kept;
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
