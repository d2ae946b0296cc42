import type { ResourceBounds } from '../../core/capacity/resources.ts';
import { MAX_WILL_BYTES } from '../../core/limits.ts';
import type { Manifest } from '../../manifest/types.ts';
import { JOURNAL_BYTES } from '../../queue/limits.ts';
import type { StoreBounds } from '../../queue/types.ts';
import { MAX_SESSION_QUEUE_BYTES } from '../limits.ts';
import { isSessionQueue } from '../queue-names.ts';

/** Bounds of the store. A full session queue drops its own oldest messages and never refuses a publisher. */
export function boundsOf({ storeAndForward }: Manifest): StoreBounds {
  const { maxQueueSize, whenFull, ...rest } = storeAndForward;
  const session = {
    maxSize: maxQueueSize ?? Math.min(MAX_SESSION_QUEUE_BYTES, rest.maxSize / 4),
    whenFull: 'dropOldest',
  } as const;
  const queue = maxQueueSize === undefined ? undefined : { maxSize: maxQueueSize, whenFull };
  return { ...rest, whenFull, boundOf: name => (isSessionQueue(name) ? session : queue) };
}

/** Bytes of the store that messages cannot use: both journals at maximum size. */
const JOURNALS_BYTES = 2 * JOURNAL_BYTES;

/**
 * Bounds on what clients may hold of each resource. Session queues take at most half of the store, so that
 * module inputs and the upstream always find space; retained messages and subscriptions take at most an
 * eighth each.
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
    willBytes: Math.min(MAX_WILL_BYTES, usable / 8),
    queueBytes: usable / 2,
  };
}
