import type { ResourceBounds } from '../../core/capacity/resources.ts';
import { MAX_WILL_BYTES } from '../../core/limits.ts';
import type { Manifest } from '../../manifest/types.ts';
import { JOURNAL_BYTES } from '../../queue/limits.ts';
import type { StoreBounds } from '../../queue/types.ts';
import { MAX_SESSION_QUEUE_BYTES } from '../limits.ts';
import { isSessionQueue } from '../queue-names.ts';

/**
 * Returns the bounds of the store. If the queue of a session is full, its oldest messages are dropped.
 * Otherwise publishers would be refused because of an absent subscriber.
 */
export function boundsOf({ storeAndForward }: Manifest): StoreBounds {
  const { maxQueueSize, whenFull, ...rest } = storeAndForward;
  const session = {
    maxSize: maxQueueSize ?? Math.min(MAX_SESSION_QUEUE_BYTES, rest.maxSize / 4),
    whenFull: 'dropOldest',
  } as const;
  const queue = maxQueueSize === undefined ? undefined : { maxSize: maxQueueSize, whenFull };
  return { ...rest, whenFull, boundOf: name => (isSessionQueue(name) ? session : queue) };
}

/** Bytes of the store that are reserved for its two journals. */
const JOURNALS_BYTES = 2 * JOURNAL_BYTES;

/**
 * Returns the bounds of the resources that all clients share. Session queues can use half of the store. The
 * other half is for module inputs and upstreams. Retained messages, subscriptions and wills can each use at
 * most an eighth of the store.
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
