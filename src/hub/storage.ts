import { SESSION_QUEUE_BYTES } from '../core/limits.ts';
import type { Manifest } from '../manifest/types.ts';
import type { StoreBounds } from '../queue/types.ts';
import { isSessionQueue } from './names.ts';

/** A session that stays away loses its own oldest messages; it never refuses a publisher. */
export function boundsOf({ storeAndForward }: Manifest): StoreBounds {
  const { maxQueueSize, whenFull, ...rest } = storeAndForward;
  const session = {
    maxSize: maxQueueSize ?? Math.min(SESSION_QUEUE_BYTES, rest.maxSize / 4),
    whenFull: 'dropOldest',
  } as const;
  const queue = maxQueueSize === undefined ? undefined : { maxSize: maxQueueSize, whenFull };
  return { ...rest, whenFull, bound: name => (isSessionQueue(name) ? session : queue) };
}
