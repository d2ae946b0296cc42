import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { Manifest, UpstreamEntry } from './types.ts';

type Upstreams = Pick<Manifest, 'upstreams'>;

/**
 * Path of an upstream's fields: `upstream` for the only one if that is its name, otherwise
 * `upstreams.<name>`.
 */
export function upstreamPath({ upstreams }: Upstreams, name: string): string[] {
  return isShort(upstreams) ? ['upstream'] : ['upstreams', name];
}

/** True if the manifest can say the same with `upstream` alone. */
export function isShort(upstreams: readonly UpstreamEntry[]): boolean {
  return upstreams.length === 1 && upstreams[0]?.name === DEFAULT_UPSTREAM;
}

/** Label of an upstream in messages: `upstream`, or `upstream "cloud"`. */
export function upstreamLabel(name: string): string {
  return name === DEFAULT_UPSTREAM ? 'upstream' : `upstream "${name}"`;
}

/** Client identifier at the upstream's server. Defaults are unique, because names contain no colon. */
export function upstreamClientId(
  device: string,
  { name, clientId }: Pick<UpstreamEntry, 'name' | 'clientId'>,
): string {
  return clientId ?? (name === DEFAULT_UPSTREAM ? `skerry-${device}` : `skerry-${device}:${name}`);
}
