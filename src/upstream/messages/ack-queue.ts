/** Queue of acknowledgements that are sent in the order in which the messages arrived [MQTT-4.6.0-2]. */
export type OrderedAcks = {
  /**
   * Reserves the next position for an acknowledgement. Returns the function that allows `send` to be called.
   */
  readonly reserve: (send: () => void) => () => void;
  /** Returns the number of acknowledgements that are not sent. */
  readonly pending: () => number;
};

export function createOrderedAcks(): OrderedAcks {
  let queue: { readonly send: () => void; ready: boolean }[] = [];
  /**
   * Index of the first unsent acknowledgement. Sent ones are removed in batches, which is cheaper than one by
   * one.
   */
  let first = 0;

  const sendReady = (): void => {
    for (; queue[first]?.ready === true; first++) queue[first]?.send();
    if (first < queue.length / 2) return;
    queue = queue.slice(first);
    first = 0;
  };

  return {
    reserve: send => {
      const entry = { send, ready: false };
      queue.push(entry);
      return () => {
        entry.ready = true;
        sendReady();
      };
    },
    pending: () => queue.length - first,
  };
}
