/** Returns the number of pairs of condition and message in agreement tests, by default 40,000. */
export function pairs(): number {
  return Number(process.env['SKERRY_ROUTE_PAIRS'] ?? 40_000);
}
