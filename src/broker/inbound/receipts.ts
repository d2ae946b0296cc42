/** Acknowledgements owed to one publisher, sent in the order its messages came [MQTT-4.6.0-2]. */
export type Receipts = {
  /** Owes one of a kind (PUBACK or PUBREC) for `packetId`. */
  readonly owe: (type: number, packetId: number) => Receipt;
  readonly pay: (receipt: Receipt, reasonCode: number) => void;
  /** It will not be acknowledged. */
  readonly cancel: (receipt: Receipt) => void;
  /** How many are owed. */
  readonly owed: () => number;
};

export type Receipt = {
  readonly type: number;
  readonly packetId: number;
  state: 'open' | 'paid' | 'cancelled';
  reasonCode: number;
};

/** `paid` sends one acknowledgement; `changed` is told after some were sent or cancelled. */
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
