import type { Source } from './tree.ts';

/** Where messages come from that come down from upstream: it lies beneath no path. */
export const UPSTREAM_SOURCE = '$upstream';

/** Whether a route takes messages from `source` (`/messages/modules/M/outputs/O`), published on `topic`. */
export function sourceTakes(wanted: Source, source: string, topic: string): boolean {
  return wanted.kind === 'path' ? pathTakes(wanted.segments, source) : filterTakes(wanted.filter, topic);
}

/** By whole segments, as a prefix, in any case. */
function pathTakes(segments: readonly string[], source: string): boolean {
  const prefix = segments
    .map(segment => `/${segment}`)
    .join('')
    .toLowerCase();
  const candidate = source.toLowerCase();
  return candidate === prefix || candidate.startsWith(`${prefix}/`);
}

/** Whether a valid `filter` takes `topic`. A leading wildcard takes no topic that begins with `$` (MQTT 3.1.1, 4.7.2). */
function filterTakes(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return levels.length >= index;
    if (index >= levels.length) return false;
    if (level !== '+' && level !== levels[index]) return false;
  }
  return levels.length === wanted.length;
}
