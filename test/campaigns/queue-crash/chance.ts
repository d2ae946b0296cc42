/** Random generator that depends only on its seed. */
export type Chance = {
  /** A whole number from 0 up to, not including, `limit`. */
  readonly below: (limit: number) => number;
  /** True `percent` times of a hundred. */
  readonly percent: (percent: number) => boolean;
  readonly oneOf: <Value>(values: readonly [Value, ...Value[]]) => Value;
};

/** Creates a linear congruential generator (Knuth's MMIX) that uses the high bits. */
export function createChance(seed: number): Chance {
  let state = BigInt.asUintN(64, BigInt(seed) * 0x9e37_79b9_7f4a_7c15n);
  const below = (limit: number): number => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Math.floor((Number(state >> 32n) / 2 ** 32) * limit);
  };
  return {
    below,
    percent: percent => below(100) < percent,
    oneOf: values => values[below(values.length)] ?? values[0],
  };
}
