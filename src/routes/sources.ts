import { DEFAULT_UPSTREAM } from '../core/message.ts';
import { matches } from '../core/topic-filter.ts';
import type { Source } from './tree.ts';

const UPSTREAM = '$upstream';

/**
 * Returns the source of messages from an upstream: `$upstream` or `$upstream/<name>`, as in the text of a
 * route.
 */
export function upstreamSource(name: string): string {
  return name === DEFAULT_UPSTREAM ? UPSTREAM : `${UPSTREAM}/${name}`;
}

/**
 * Returns true if the source of a route matches a message from `source` (such as
 * `/messages/modules/M/outputs/O`) with the topic `topic`. Messages from an upstream match only a route
 * source that contains `$upstream`. Otherwise a common route from `/*` into `$upstream` would be a loop.
 * `$upstream` without a name matches every upstream.
 */
export function sourceMatches(wanted: Source, source: string, topic: string): boolean {
  const fromUpstream = source.startsWith(UPSTREAM);
  switch (wanted.kind) {
    case 'path':
      return !fromUpstream && pathMatches(wanted.segments, source);
    case 'topic':
      return !fromUpstream && matches(wanted.filter, topic);
    case 'upstream':
      return (
        fromUpstream &&
        (wanted.name === undefined || source === upstreamSource(wanted.name)) &&
        (wanted.filter === undefined || matches(wanted.filter, topic))
      );
  }
}

/** Returns true if the source contains a topic filter. */
export function readsTopic(wanted: Source): boolean {
  return wanted.kind !== 'path' && wanted.filter !== undefined;
}

/** Returns true if `source` begins with the path segments `segments`, ignoring case. */
function pathMatches(segments: readonly string[], source: string): boolean {
  const prefix = segments
    .map(segment => `/${segment}`)
    .join('')
    .toLowerCase();
  const candidate = source.toLowerCase();
  return candidate === prefix || candidate.startsWith(`${prefix}/`);
}
