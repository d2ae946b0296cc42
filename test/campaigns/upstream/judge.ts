/** The body of a publisher's message: sizes differ, so that what is torn or mixed up is seen. */
export function bodyOf(publisher: string, number: number): string {
  return `${publisher} ${number} ${'.'.repeat((number * 37) % 300)}`;
}

/** Number of messages by publisher, numbered from 1. */
export type Published = ReadonlyMap<string, number>;

export type Verdict = {
  /** Published and acknowledged, and not among what came. */
  readonly lost: number;
  /** Came again. */
  readonly repeated: number;
  /** Came for the first time after a later one of its publisher. */
  readonly outOfOrder: number;
  /** Nobody published it. */
  readonly foreign: number;
};

/** Compares what came, in its order, with what was published. */
export function judge(published: Published, bodies: readonly string[]): Verdict {
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
  let owed = 0;
  for (const count of published.values()) owed += count;
  return { lost: owed - different, repeated: bodies.length - foreign - different, outOfOrder, foreign };
}
