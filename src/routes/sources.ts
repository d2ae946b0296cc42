import type { Source } from './tree.ts';

/** Where messages come from that come down from upstream: it lies beneath no path. */
export const UPSTREAM_SOURCE = '$upstream';

/**
 * Whether a route takes messages from `source` (`/messages/modules/M/outputs/O`), published on `topic`. What comes from
 * upstream is taken by those alone that name it: `/*` goes INTO $upstream in many a manifest.
 */
export function sourceTakes(wanted: Source, source: string, topic: string): boolean {
  const down = source === UPSTREAM_SOURCE;
  switch (wanted.kind) {
    case 'path':
      return !down && pathTakes(wanted.segments, source);
    case 'topic':
      return !down && filterTakes(wanted.filter, topic);
    case 'upstream':
      return down && (wanted.filter === undefined || filterTakes(wanted.filter, topic));
  }
}

/** Whether the topic of a message decides if it is taken. */
export function readsTopic(wanted: Source): boolean {
  return wanted.kind !== 'path' && wanted.filter !== undefined;
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
