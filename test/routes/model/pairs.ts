/** Number of pairs of condition and message in agreement tests: SKERRY_ROUTE_PAIRS, if set. */
export function pairs(): number {
  return Number(process.env['SKERRY_ROUTE_PAIRS'] ?? 40_000);
}
