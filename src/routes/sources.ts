import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { Source } from './tree.ts';

const UPSTREAM = '$upstream';

/** Source of messages from an upstream, which is below no path; routes name it the same way. */
export function upstreamSource(name: string): string {
  return name === DEFAULT_UPSTREAM ? UPSTREAM : `${UPSTREAM}/${name}`;
}

/**
 * Tells if a route's source matches a message from `source` (`/messages/modules/M/outputs/O`) on `topic`.
 * Messages from an upstream match only sources that name an upstream, because `/*` often goes INTO $upstream.
 * `$upstream` without a name matches any if the manifest does not define one.
 */
export function sourceMatches(wanted: Source, source: string, topic: string): boolean {
  const down = source.startsWith(UPSTREAM);
  switch (wanted.kind) {
    case 'path':
      return !down && pathMatches(wanted.segments, source);
    case 'topic':
      return !down && filterMatches(wanted.filter, topic);
    case 'upstream':
      return (
        down &&
        (wanted.name === undefined || source === upstreamSource(wanted.name)) &&
        (wanted.filter === undefined || filterMatches(wanted.filter, topic))
      );
  }
}

/** Tells if the source depends on the topic. */
export function readsTopic(wanted: Source): boolean {
  return wanted.kind !== 'path' && wanted.filter !== undefined;
}

/** Matches whole segments as a prefix, ignoring case. */
function pathMatches(segments: readonly string[], source: string): boolean {
  const prefix = segments
    .map(segment => `/${segment}`)
    .join('')
    .toLowerCase();
  const candidate = source.toLowerCase();
  return candidate === prefix || candidate.startsWith(`${prefix}/`);
}

/**
 * Tells if a valid `filter` matches `topic`. A leading wildcard does not match topics that begin with `$`
 * (MQTT 3.1.1, 4.7.2).
 */
function filterMatches(filter: string, topic: string): boolean {
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
