import type { SentPosition } from '../disk/sent-file.ts';
import { leaveSentFile, takeSentFile } from '../disk/sent-file.ts';
import { laneOf } from '../entries/queue-state.ts';
import type { Registry } from '../entries/registry.ts';
import { PRIORITIES } from '../types.ts';

/**
 * Restores the sequences up to which the last run of the hub has sent entries. Returns the sequence up to
 * which every entry may have been sent: `lastSequence` of the store if the last run did not end cleanly.
 */
export function resumeSent(folder: string, { byId }: Registry, lastSequence: number): number {
  const { anyUpTo, positions } = takeSentFile(folder) ?? { anyUpTo: lastSequence, positions: [] };
  for (const [id, priority, sequence] of positions) {
    const queue = byId(id);
    if (queue !== undefined && priority < PRIORITIES) laneOf(queue, priority).sentUpTo = sequence;
  }
  return anyUpTo;
}

/** Saves the sequences up to which this run of the hub has sent entries, for the next run. */
export function leaveSent(folder: string, { active }: Registry, anyUpTo: number): void {
  const positions: SentPosition[] = [];
  for (const { id, depth, lanes } of active()) {
    for (const [priority, lane] of lanes.entries())
      if (depth > 0 && lane !== undefined && lane.sentUpTo > 0) positions.push([id, priority, lane.sentUpTo]);
  }
  leaveSentFile(folder, { anyUpTo, positions });
}
