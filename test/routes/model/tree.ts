/** Removes positions from a tree. */
export function withoutSpans(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSpans);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([key]) => key !== 'start' && key !== 'end');
  return Object.fromEntries(members.map(([key, member]) => [key, withoutSpans(member)]));
}
