/** Source of random values. Tests replace it by a deterministic source. */
export type Random = {
  /** Returns a number from 0 (inclusive) to 1 (exclusive). Not suitable for secrets. */
  readonly fraction: () => number;
  /** Returns `count` random bytes that are suitable for secrets. */
  readonly bytes: (count: number) => Buffer;
};
