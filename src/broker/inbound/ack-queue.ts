import type { ProtocolError } from '../../mqtt/reasons.ts';
import type { Version } from '../../mqtt/version.ts';

/** Queue that sends the acknowledgements to one publisher in the order of its messages [MQTT-4.6.0-2]. */
export type AckQueue = {
  /** Reserves the position of the PUBACK or PUBREC for `packetId`, behind all earlier acknowledgements. */
  readonly reserve: (type: number, packetId: number) => PendingAck;
  /** Sends the acknowledgement when all earlier acknowledgements are sent or cancelled. */
  readonly complete: (ack: PendingAck, reasonCode: number) => void;
  /** Removes the position of an acknowledgement. The acknowledgement is not sent. */
  readonly cancel: (ack: PendingAck) => void;
  /** Returns the number of acknowledgements that are not sent yet. */
  readonly pending: () => number;
};

/** Position of an acknowledgement in the queue. */
export type PendingAck = {
  readonly type: number;
  readonly packetId: number;
  state: 'pending' | 'completed' | 'cancelled';
  reasonCode: number;
};

/** Connection of a client that publishes messages. */
export type Publisher = {
  readonly version: Version;
  readonly acks: AckQueue;
  readonly close: (fault: ProtocolError | undefined) => void;
  /** Logs an exception in the work of this connection, and closes the connection. */
  readonly fail: (thrown: unknown) => void;
};

/**
 * Creates the acknowledgement queue of one publisher. `send` sends one acknowledgement. `changed` is called
 * when the number of pending acknowledgements has decreased.
 */
export function createAckQueue(
  send: (type: number, packetId: number, reasonCode: number) => void,
  changed: () => void,
): AckQueue {
  let acks: PendingAck[] = [];
  let head = 0;

  const sendInOrder = (): void => {
    const before = head;
    for (let first = acks[head]; first !== undefined && first.state !== 'pending'; first = acks[++head]) {
      if (first.state === 'completed') send(first.type, first.packetId, first.reasonCode);
    }
    if (head === before) return;
    if (2 * head >= acks.length) {
      acks = acks.slice(head);
      head = 0;
    }
    changed();
  };

  const sendIfFirst = (ack: PendingAck): void => {
    if (acks[head] === ack) sendInOrder();
  };

  return {
    reserve: (type, packetId) => {
      const ack: PendingAck = { type, packetId, state: 'pending', reasonCode: 0 };
      acks.push(ack);
      return ack;
    },
    complete: (ack, reasonCode) => {
      ack.state = 'completed';
      ack.reasonCode = reasonCode;
      sendIfFirst(ack);
    },
    cancel: ack => {
      ack.state = 'cancelled';
      sendIfFirst(ack);
    },
    pending: () => acks.length - head,
  };
}
