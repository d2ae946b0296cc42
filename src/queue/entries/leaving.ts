import type { StoredEntry } from '../disk/reader.ts';
import type { Held, QueueState } from './ledger.ts';

/** What is known of an entry when it leaves its queue. */
export type Leaving = {
  readonly queue: QueueState;
  readonly priority: number;
  readonly sequence: number;
  readonly bytes: number;
  readonly expires: number;
  readonly ceiling: number;
  /** Where LMDB has it; `index`: only its place among the expiries is left; undefined: look at `held`. */
  readonly stored: 'inline' | 'outside' | 'index' | undefined;
  /** Set if it came from a lane and not from LMDB. */
  readonly held: Held | undefined;
  /** Bytes of LMDB that are counted as free since it left, until a checkpoint frees them. */
  freed: number;
};

/** Where LMDB has an entry; undefined: nowhere. */
export function whereStored({ held, stored }: Leaving): Leaving['stored'] {
  return held === undefined ? stored : held.stored;
}

/** What is known of an entry that was found in LMDB; of a damaged one, little. */
export function leavingStored(queue: QueueState, { priority, sequence, header }: StoredEntry): Leaving {
  return {
    queue,
    priority,
    sequence,
    bytes: header?.bytes ?? 0,
    expires: header?.expires ?? Number.POSITIVE_INFINITY,
    ceiling: header?.ceiling ?? Number.POSITIVE_INFINITY,
    // The sequence of a damaged one is made up: no body is known to be its own.
    stored: header !== undefined && header.record === undefined ? 'outside' : 'inline',
    held: undefined,
    freed: 0,
  };
}

export function leavingHeld(held: Held): Leaving {
  const { pending, queue, priority, expires, ceiling, bytes } = held;
  return {
    queue,
    priority,
    sequence: pending.sequence,
    bytes,
    expires,
    ceiling,
    stored: undefined,
    held,
    freed: 0,
  };
}
