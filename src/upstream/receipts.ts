/** Acknowledgements that are owed for what came down: they go out in the order in which it came [MQTT-4.6.0-2]. */
export type Receipts = {
  /** Owes one; what it returns says that it may go. */
  readonly owe: (send: () => void) => () => void;
  readonly owed: () => number;
};

export function createReceipts(): Receipts {
  const queue: { readonly send: () => void; ready: boolean }[] = [];
  return {
    owe: send => {
      const receipt = { send, ready: false };
      queue.push(receipt);
      return () => {
        receipt.ready = true;
        while (queue[0]?.ready === true) queue.shift()?.send();
      };
    },
    owed: () => queue.length,
  };
}
