import type { ResourceBounds } from '../core/capacity/resources.ts';
import type { Manifest } from '../manifest/types.ts';
import { JOURNAL_BYTES } from '../queue/limits.ts';
import type { StoreBounds } from '../queue/types.ts';
import { MAX_SESSION_QUEUE_BYTES } from './limits.ts';
import { isSessionQueue } from './names.ts';

/** A session that stays away loses its own oldest messages; it never refuses a publisher. */
export function boundsOf({ storeAndForward }: Manifest): StoreBounds {
  const { maxQueueSize, whenFull, ...rest } = storeAndForward;
  const session = {
    maxSize: maxQueueSize ?? Math.min(MAX_SESSION_QUEUE_BYTES, rest.maxSize / 4),
    whenFull: 'dropOldest',
  } as const;
  const queue = maxQueueSize === undefined ? undefined : { maxSize: maxQueueSize, whenFull };
  return { ...rest, whenFull, boundOf: name => (isSessionQueue(name) ? session : queue) };
}

/** Bytes of a store that no message takes: both journals at their largest. */
const JOURNALS_BYTES = 2 * JOURNAL_BYTES;

/**
 * What clients may hold of each resource. What waits for sessions takes half of the store at most, so that inputs of
 * modules and the upstream always find room; what is retained, and what sessions are subscribed to, an eighth each.
 */
export function resourceBoundsOf(
  { limits, storeAndForward }: Pick<Manifest, 'limits' | 'storeAndForward'>,
  openable: number,
): ResourceBounds {
  const usable = storeAndForward.maxSize - JOURNALS_BYTES;
  const { connections, sessions, subscriptionBytes, retained, retainedBytes } = limits;
  return {
    connections: Math.min(connections, openable),
    sessions,
    subscriptionBytes: Math.min(subscriptionBytes, usable / 8),
    retained,
    retainedBytes: Math.min(retainedBytes, usable / 8),
    queueBytes: usable / 2,
  };
}
