/** Randomness as a value, so that a test can own it. */
export type Random = {
  /** A number from 0 up to, not including, 1. Not for secrets. */
  readonly fraction: () => number;
  /** `count` bytes fit for secrets. */
  readonly bytes: (count: number) => Buffer;
};
