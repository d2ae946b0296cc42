import { DEFAULT_UPSTREAM } from '../core/message.ts';
import { matches } from '../core/topic-filter.ts';
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
      return !down && matches(wanted.filter, topic);
    case 'upstream':
      return (
        down &&
        (wanted.name === undefined || source === upstreamSource(wanted.name)) &&
        (wanted.filter === undefined || matches(wanted.filter, topic))
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
