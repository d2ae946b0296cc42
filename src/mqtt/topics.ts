import { MAX_TOPIC_LEVELS } from '../core/limits.ts';
import { MAX_STRING_BYTES, stringProblem } from '../core/text/characters.ts';

const PLUS = 0x2b;
const HASH = 0x23;
const SLASH = 0x2f;

/**
 * True if `topic` is a valid topic name (MQTT 5, 3.3.2.1 and 4.7): not empty, without wildcards and forbidden
 * characters. Called for every PUBLISH, so a topic of plain ASCII is checked in one pass without regular
 * expressions.
 */
export function isTopicName(topic: string): boolean {
  let levels = 1;
  let plain = true;
  for (let at = 0; at < topic.length; at++) {
    const code = topic.charCodeAt(at);
    if (code === SLASH) levels++;
    else if (code === PLUS || code === HASH) return false;
    else if (code < 0x20 || code > 0x7e) plain = false;
  }
  if (topic.length === 0 || topic.length > MAX_STRING_BYTES || levels > MAX_TOPIC_LEVELS) return false;
  return plain || stringProblem(topic) === undefined;
}

/**
 * True if `filter` is a valid topic filter: a wildcard is a whole level, and `#` is the last level (MQTT
 * 3.1.1, 4.7.1).
 */
export function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/', MAX_TOPIC_LEVELS + 1);
  if (filter === '' || levels.length > MAX_TOPIC_LEVELS || stringProblem(filter) !== undefined) return false;
  return levels.every((level, index) => {
    if (level === '+') return true;
    if (level === '#') return index === levels.length - 1;
    return !level.includes('+') && !level.includes('#');
  });
}

const SHARED = '$share/';

/** True if a filter has the prefix of a shared subscription (MQTT 5, 4.8.2). The filter can be invalid. */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARED);
}

/**
 * Splits `$share/<group>/<filter>` into group and filter. Returns undefined if the subscription is not
 * shared. Returns `invalid` if group or filter is invalid [MQTT-4.8.2-1], [MQTT-4.8.2-2].
 */
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

/** Returns the filter of a subscription without `$share/<group>/`. Undefined if the filter is invalid. */
export function plainFilter(topic: string): string | undefined {
  const shared = sharedOf(topic);
  if (shared === 'invalid') return undefined;
  const filter = shared === undefined ? topic : shared.filter;
  return isTopicFilter(filter) ? filter : undefined;
}
