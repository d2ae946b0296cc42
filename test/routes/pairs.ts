/** How many pairs of a condition and a message a test of agreement asks about: SKERRY_ROUTE_PAIRS, for more. */
export function pairs(): number {
  return Number(process.env['SKERRY_ROUTE_PAIRS'] ?? 40_000);
}
