import type { ProtocolError } from '../../mqtt/reasons.ts';
import type { Version } from '../../mqtt/version.ts';

/** Acknowledgements to one publisher, sent in the order of its messages [MQTT-4.6.0-2]. */
export type AckQueue = {
  /** Reserves the next position for a PUBACK or PUBREC of `packetId`. */
  readonly reserve: (type: number, packetId: number) => PendingAck;
  readonly complete: (ack: PendingAck, reasonCode: number) => void;
  /** Removes a position without an acknowledgement. */
  readonly cancel: (ack: PendingAck) => void;
  /** Number of pending acknowledgements. */
  readonly pending: () => number;
};

export type PendingAck = {
  readonly type: number;
  readonly packetId: number;
  state: 'open' | 'paid' | 'cancelled';
  reasonCode: number;
};

/** Connection of a client, as far as its messages are acknowledged. */
export type Publisher = {
  readonly version: Version;
  readonly acks: AckQueue;
  readonly close: (fault: ProtocolError | undefined) => void;
  /** Closes only this connection after an exception in its work. */
  readonly fail: (thrown: unknown) => void;
};

/**
 * Creates the queue. `paid` sends one acknowledgement; `changed` is called after acknowledgements were sent
 * or cancelled.
 */
export function createAckQueue(
  paid: (type: number, packetId: number, reasonCode: number) => void,
  changed: () => void,
): AckQueue {
  let acks: PendingAck[] = [];
  let head = 0;

  const sendInOrder = (): void => {
    const before = head;
    for (let first = acks[head]; first !== undefined && first.state !== 'open'; first = acks[++head]) {
      if (first.state === 'paid') paid(first.type, first.packetId, first.reasonCode);
    }
    if (head === before) return;
    if (2 * head >= acks.length) {
      acks = acks.slice(head);
      head = 0;
    }
    changed();
  };

  const settle = (ack: PendingAck): void => {
    if (acks[head] === ack) sendInOrder();
  };

  return {
    reserve: (type, packetId) => {
      const ack: PendingAck = { type, packetId, state: 'open', reasonCode: 0 };
      acks.push(ack);
      return ack;
    },
    complete: (ack, reasonCode) => {
      ack.state = 'paid';
      ack.reasonCode = reasonCode;
      settle(ack);
    },
    cancel: ack => {
      ack.state = 'cancelled';
      settle(ack);
    },
    pending: () => acks.length - head,
  };
}
