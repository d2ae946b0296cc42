import { covers } from '../mqtt/topics.ts';
import type { Identity } from './types.ts';

/** Topics of this first level speak for the modules: only they may use them to publish. */
const MODULES = 'modules';

/** The output of `modules/<module>/outputs/<output>`, undefined for any other topic. */
export function outputOf(module: string, topic: string): string | undefined {
  const prefix = `modules/${module}/outputs/`;
  const output = topic.startsWith(prefix) ? topic.slice(prefix.length) : '';
  return output.length > 0 && !output.includes('/') ? output : undefined;
}

/** What these levels begin is the broker's and the hub's own. */
const RESERVED = ['$SYS', '$share', '$upstream'];

/** A module publishes on its own outputs, and like any client on topics that are no module's. */
export function mayPublish(identity: Identity, topic: string): boolean {
  if (topic.startsWith('$')) return identity.kind === 'client' && !RESERVED.includes(rootOf(topic));
  if (topic !== MODULES && !topic.startsWith(`${MODULES}/`)) return true;
  return identity.kind === 'module' && outputOf(identity.module, topic) !== undefined;
}

/** A module hears its own inputs and what is no module's; a client without a name may listen to everything. */
export function maySubscribe(identity: Identity, filter: string): boolean {
  if (identity.kind === 'client') return true;
  if (filter.startsWith('$')) return false;
  if (covers(`modules/${identity.module}/inputs/#`, filter)) return true;
  const first = rootOf(filter);
  return first !== MODULES && first !== '+' && first !== '#';
}

function rootOf(topic: string): string {
  return topic.split('/', 1)[0] ?? '';
}
