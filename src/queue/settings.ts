import type { Resources } from '../core/capacity/resources.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { StoreBounds } from './types.ts';

export type StoreSettings = StoreBounds & {
  /** Folder of the store, created if it does not exist. */
  readonly folder: string;
  /** Maximum bytes of memory for messages that wait for the disk. */
  readonly maxPendingBytes: number;
  /**
   * Called with the number of bytes of each message body that is read into memory for delivery. The buffers
   * of these bodies soon become garbage.
   */
  readonly countRead: (bytes: number) => void;
  readonly clock: Clock;
  readonly resources: Pick<Resources, 'retained' | 'retainedBytes'>;
  readonly log: Log;
};
