import { MAX_TOPIC_LEVELS } from '../core/limits.ts';

/** Bytes of a topic or filter on the wire (MQTT 3.1.1, 4.7.3). */
const MAX_TOPIC_BYTES = 65_535;

/** True for what may be published on: no wildcards, not empty, no U+0000 (MQTT 3.1.1, 3.3.2-2 and 4.7.3). */
export function isTopicName(topic: string): boolean {
  return isBounded(topic) && !topic.includes('+') && !topic.includes('#');
}

/** True for what may be subscribed to: wildcards only as whole levels, `#` only last (MQTT 3.1.1, 4.7.1). */
export function isTopicFilter(filter: string): boolean {
  if (!isBounded(filter)) return false;
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level === '+') return true;
    if (level === '#') return index === levels.length - 1;
    return !level.includes('+') && !level.includes('#');
  });
}

function isBounded(text: string): boolean {
  if (text.length === 0 || text.includes('\0') || Buffer.byteLength(text) > MAX_TOPIC_BYTES) return false;
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) levels++;
  return levels <= MAX_TOPIC_LEVELS;
}

/** Whether a valid filter takes in a valid topic. */
export function matches(filter: string, topic: string): boolean {
  if (spares(filter, topic)) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether every topic that the valid filter `inner` takes in is taken in by `outer`, level by level. */
export function covers(outer: string, inner: string): boolean {
  if (spares(outer, inner)) return false;
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

/** A wildcard at the first level spares topics that begin with `$` (MQTT 3.1.1, 4.7.2-1). */
function spares(filter: string, topic: string): boolean {
  return topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'));
}

const SHARED = '$share/';

/** True if a filter claims to be a shared subscription (MQTT 5, 4.8.2). */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARED);
}

/** The group and the filter of `$share/<group>/<filter>`; `invalid`: it has none that is valid [MQTT-4.8.2-1], [MQTT-4.8.2-2]. */
export function sharedOf(
  filter: string,
): { readonly group: string; readonly filter: string } | 'invalid' | undefined {
  if (!isShared(filter)) return undefined;
  const end = filter.indexOf('/', SHARED.length);
  const group = filter.slice(SHARED.length, end < 0 ? undefined : end);
  if (end < 0 || group === '' || /[+#]/.test(group)) return 'invalid';
  const rest = filter.slice(end + 1);
  return isTopicFilter(rest) ? { group, filter: rest } : 'invalid';
}
