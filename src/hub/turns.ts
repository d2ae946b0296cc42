/** Work that costs much, some at once. */
export type Turns = {
  /** Does it now, or when it is its turn; false: too much waits. It must not reject. */
  readonly take: (work: () => Promise<void>) => boolean;
};

export function createTurns(atOnce: number, mostWaiting: number): Turns {
  const waiting: (() => Promise<void>)[] = [];
  let working = 0;

  const begin = (work: () => Promise<void>): void => {
    working++;
    void work().then(() => {
      working--;
      const next = waiting.shift();
      if (next !== undefined) begin(next);
    });
  };

  return {
    take: work => {
      if (working < atOnce) begin(work);
      else if (waiting.length >= mostWaiting) return false;
      else waiting.push(work);
      return true;
    },
  };
}
