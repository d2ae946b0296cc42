import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { Manifest, UpstreamEntry } from './types.ts';

type Upstreams = Pick<Manifest, 'upstreams'>;

/**
 * Returns the field path of an upstream in the manifest: `upstream` if there is only one upstream and its
 * name is "upstream", otherwise `upstreams.<name>`.
 */
export function upstreamPath({ upstreams }: Upstreams, name: string): string[] {
  return isShort(upstreams) ? ['upstream'] : ['upstreams', name];
}

/** Returns true if the manifest can be written with the field `upstream` instead of `upstreams`. */
export function isShort(upstreams: readonly UpstreamEntry[]): boolean {
  return upstreams.length === 1 && upstreams[0]?.name === DEFAULT_UPSTREAM;
}

/** Returns the label of an upstream for log lines and errors: `upstream`, or `upstream "cloud"`. */
export function upstreamLabel(name: string): string {
  return name === DEFAULT_UPSTREAM ? 'upstream' : `upstream "${name}"`;
}

/**
 * Returns the client identifier of an upstream. Default client identifiers of different upstreams differ,
 * because names contain no colon.
 */
export function upstreamClientId(
  device: string,
  { name, clientId }: Pick<UpstreamEntry, 'name' | 'clientId'>,
): string {
  return clientId ?? (name === DEFAULT_UPSTREAM ? `skerry-${device}` : `skerry-${device}:${name}`);
}
