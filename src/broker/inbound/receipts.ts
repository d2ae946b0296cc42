/** Acknowledgements to one publisher, sent in the order of its messages [MQTT-4.6.0-2]. */
export type Receipts = {
  /** Reserves the next position for a PUBACK or PUBREC of `packetId`. */
  readonly owe: (type: number, packetId: number) => Receipt;
  readonly pay: (receipt: Receipt, reasonCode: number) => void;
  /** Removes a position without an acknowledgement. */
  readonly cancel: (receipt: Receipt) => void;
  /** Number of pending acknowledgements. */
  readonly owed: () => number;
};

export type Receipt = {
  readonly type: number;
  readonly packetId: number;
  state: 'open' | 'paid' | 'cancelled';
  reasonCode: number;
};

/**
 * Creates the queue. `paid` sends one acknowledgement; `changed` is called after acknowledgements were sent
 * or cancelled.
 */
export function createReceipts(
  paid: (type: number, packetId: number, reasonCode: number) => void,
  changed: () => void,
): Receipts {
  let receipts: Receipt[] = [];
  let head = 0;

  const payInOrder = (): void => {
    const before = head;
    for (
      let first = receipts[head];
      first !== undefined && first.state !== 'open';
      first = receipts[++head]
    ) {
      if (first.state === 'paid') paid(first.type, first.packetId, first.reasonCode);
    }
    if (head === before) return;
    if (2 * head >= receipts.length) {
      receipts = receipts.slice(head);
      head = 0;
    }
    changed();
  };

  const settle = (receipt: Receipt): void => {
    if (receipts[head] === receipt) payInOrder();
  };

  return {
    owe: (type, packetId) => {
      const receipt: Receipt = { type, packetId, state: 'open', reasonCode: 0 };
      receipts.push(receipt);
      return receipt;
    },
    pay: (receipt, reasonCode) => {
      receipt.state = 'paid';
      receipt.reasonCode = reasonCode;
      settle(receipt);
    },
    cancel: receipt => {
      receipt.state = 'cancelled';
      settle(receipt);
    },
    owed: () => receipts.length - head,
  };
}
