/* Matching of MQTT topic filters (MQTT 3.1.1, 4.7; MQTT 5, 4.7). */

/** True if a valid filter matches a valid topic. */
export function matches(filter: string, topic: string): boolean {
  if (excludesSystemTopic(filter, topic)) return false;
  const filterLevels = filter.split('/');
  const levels = topic.split('/');
  for (const [index, level] of filterLevels.entries()) {
    if (level === '#') return true;
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false;
  }
  return filterLevels.length === levels.length;
}

/** True if `outer` matches every topic that the valid filter `inner` matches. */
export function covers(outer: string, inner: string): boolean {
  if (excludesSystemTopic(outer, inner)) return false;
  const wide = outer.split('/');
  const narrow = inner.split('/');
  for (const [index, level] of wide.entries()) {
    if (level === '#') return true;
    const other = narrow[index];
    if (other === undefined || other === '#') return false;
    if (level !== '+' && level !== other) return false;
  }
  return wide.length === narrow.length;
}

/** True if there is a topic that both valid filters match. */
export function overlaps(one: string, other: string): boolean {
  if (excludesSystemTopic(one, other) || excludesSystemTopic(other, one)) return false;
  const left = one.split('/');
  const right = other.split('/');
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [a, b] = [left[index], right[index]];
    if (a === '#' || b === '#') return true;
    if (a === undefined || b === undefined) return false;
    if (a !== '+' && b !== '+' && a !== b) return false;
  }
  return true;
}

/**
 * True if the topic begins with `$` and the filter with a wildcard. Such a filter does not match such a topic
 * [MQTT-4.7.2-1].
 */
function excludesSystemTopic(filter: string, topic: string): boolean {
  return topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'));
}
