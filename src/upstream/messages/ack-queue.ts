/** Queue of acknowledgements that are sent in the order in which the messages arrived [MQTT-4.6.0-2]. */
export type OrderedAcks = {
  /**
   * Reserves the next position for an acknowledgement. Returns a function that marks the acknowledgement as
   * ready. `send` is called when this and all earlier acknowledgements are ready.
   */
  readonly reserve: (send: () => void) => () => void;
  /** Returns the number of reserved acknowledgements that are not sent yet. */
  readonly pending: () => number;
};

export function createOrderedAcks(): OrderedAcks {
  let queue: { readonly send: () => void; ready: boolean }[] = [];
  /**
   * Index of the first unsent acknowledgement. The queue removes sent acknowledgements in batches, because
   * single removals cost more.
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
