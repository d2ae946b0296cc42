/**
 * Returns the smallest of `values` that is not lower than `percent` percent of them (nearest rank). NaN if
 * `values` is empty.
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
