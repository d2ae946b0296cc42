/** Acknowledgements of downstream messages, sent in the order of arrival [MQTT-4.6.0-2]. */
export type Receipts = {
  /** Reserves the next position. Returns the function that completes it. */
  readonly owe: (send: () => void) => () => void;
  readonly owed: () => number;
};

export function createReceipts(): Receipts {
  let queue: { readonly send: () => void; ready: boolean }[] = [];
  /**
   * Index of the first unsent acknowledgement, because removing from the front costs time proportional to the
   * length.
   */
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
