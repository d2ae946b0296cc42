import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { Source } from './tree.ts';

const UPSTREAM = '$upstream';

/** Source of messages from an upstream, which is below no path; routes name it the same way. */
export function upstreamSource(name: string): string {
  return name === DEFAULT_UPSTREAM ? UPSTREAM : `${UPSTREAM}/${name}`;
}

/**
 * Whether a route takes messages from `source` (`/messages/modules/M/outputs/O`), published on `topic`. What comes from
 * an upstream is taken by those alone that name it: `/*` goes INTO $upstream in many a manifest. Where no manifest says
 * which one `$upstream` is, it is any.
 */
export function sourceTakes(wanted: Source, source: string, topic: string): boolean {
  const down = source.startsWith(UPSTREAM);
  switch (wanted.kind) {
    case 'path':
      return !down && pathTakes(wanted.segments, source);
    case 'topic':
      return !down && filterTakes(wanted.filter, topic);
    case 'upstream':
      return (
        down &&
        (wanted.name === undefined || source === upstreamSource(wanted.name)) &&
        (wanted.filter === undefined || filterTakes(wanted.filter, topic))
      );
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
