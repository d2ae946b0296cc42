import type { Settle } from '../core/message.ts';

/** Acknowledgements owed to one publisher, sent in the order its messages came (MQTT 3.1.1, 4.6.0-2). */
export type Receipts = {
  /** Owes one for `packetId`; the returned settle pays it, or with an error cancels it. */
  readonly owe: (packetId: number) => Settle;
  /** How many are owed. */
  readonly owed: () => number;
};

type Receipt = { readonly packetId: number; state: 'open' | 'paid' | 'cancelled' };

/** `paid` sends one acknowledgement; `changed` is told after some were sent or cancelled. */
export function createReceipts(paid: (packetId: number) => void, changed: () => void): Receipts {
  const receipts: Receipt[] = [];

  const payInOrder = (): void => {
    let count = 0;
    for (const { packetId, state } of receipts) {
      if (state === 'open') break;
      if (state === 'paid') paid(packetId);
      count++;
    }
    if (count === 0) return;
    receipts.splice(0, count);
    changed();
  };

  return {
    owe: packetId => {
      const receipt: Receipt = { packetId, state: 'open' };
      receipts.push(receipt);
      return error => {
        receipt.state = error === undefined ? 'paid' : 'cancelled';
        if (receipts[0] === receipt) payInOrder();
      };
    },
    owed: () => receipts.length,
  };
}
