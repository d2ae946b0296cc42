import type { StoreCounts } from './types.ts';

/** Returns the counters of a new store, all 0. */
export function emptyCounts(): StoreCounts {
  return {
    appended: 0,
    acknowledged: 0,
    spared: 0,
    expired: 0,
    purged: 0,
    overflowed: 0,
    dead: 0,
    corrupt: 0,
    refused: 0,
    commits: 0,
    checkpoints: 0,
    payload: 0,
    written: 0,
  };
}
