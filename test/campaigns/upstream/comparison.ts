/** Returns the body of a message. Sizes differ, so that damaged and mixed bodies are detected. */
export function bodyOf(publisher: string, number: number): string {
  return `${publisher} ${number} ${'.'.repeat((number * 37) % 300)}`;
}

/** Number of messages by publisher, numbered from 1. */
export type Published = ReadonlyMap<string, number>;

export type Comparison = {
  /** Acknowledged messages that were not received. */
  readonly lost: number;
  /** Messages that were received again. */
  readonly repeated: number;
  /** Messages that were first received after a later message of their publisher. */
  readonly outOfOrder: number;
  /** Received messages that were not published. */
  readonly foreign: number;
};

/** Compares received bodies, in order, with the published messages. */
export function compare(published: Published, bodies: readonly string[]): Comparison {
  const seen = new Map(Array.from(published.keys(), name => [name, { numbers: new Set<number>(), last: 0 }]));
  let [foreign, outOfOrder, different] = [0, 0, 0];
  for (const body of bodies) {
    const [name = '', digits] = body.split(' ');
    const number = Number(digits);
    const of = seen.get(name);
    if (of === undefined || number > (published.get(name) ?? 0) || body !== bodyOf(name, number)) {
      foreign++;
      continue;
    }
    if (of.numbers.has(number)) continue;
    of.numbers.add(number);
    different++;
    if (number < of.last) outOfOrder++;
    of.last = Math.max(of.last, number);
  }
  let total = 0;
  for (const count of published.values()) total += count;
  return { lost: total - different, repeated: bodies.length - foreign - different, outOfOrder, foreign };
}
