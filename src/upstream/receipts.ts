/** Acknowledgements that are owed for what came down: they go out in the order in which it came [MQTT-4.6.0-2]. */
export type Receipts = {
  /** Owes one; what it returns says that it may go. */
  readonly owe: (send: () => void) => () => void;
  readonly owed: () => number;
};

export function createReceipts(): Receipts {
  let queue: { readonly send: () => void; ready: boolean }[] = [];
  /** Index of the first that has not gone: taking it off the front would cost more the more are owed. */
  let first = 0;

  const pay = (): void => {
    for (; queue[first]?.ready === true; first++) queue[first]?.send();
    if (first < queue.length / 2) return;
    queue = queue.slice(first);
    first = 0;
  };

  return {
    owe: send => {
      const receipt = { send, ready: false };
      queue.push(receipt);
      return () => {
        receipt.ready = true;
        pay();
      };
    },
    owed: () => queue.length - first,
  };
}
