import type { SentPosition } from '../disk/sent-file.ts';
import { leaveSentFile, takeSentFile } from '../disk/sent-file.ts';
import { laneOf } from '../entries/queue-state.ts';
import type { Registry } from '../entries/registry.ts';
import { PRIORITIES } from '../types.ts';

/**
 * Restores the highest sequences that the previous hub process has sent. Returns the sequence up to which all
 * entries count as already sent. If the previous process crashed, this is `lastSequence`.
 */
export function resumeSent(folder: string, { byId }: Registry, lastSequence: number): number {
  const { anyUpTo, positions } = takeSentFile(folder) ?? { anyUpTo: lastSequence, positions: [] };
  for (const [id, priority, sequence] of positions) {
    const queue = byId(id);
    if (queue !== undefined && priority < PRIORITIES) laneOf(queue, priority).sentUpTo = sequence;
  }
  return anyUpTo;
}

/** Saves the highest sequences that this hub process has sent. The next start of the hub reads them. */
export function leaveSent(folder: string, { active }: Registry, anyUpTo: number): void {
  const positions: SentPosition[] = [];
  for (const { id, depth, lanes } of active()) {
    for (const [priority, lane] of lanes.entries())
      if (depth > 0 && lane !== undefined && lane.sentUpTo > 0) positions.push([id, priority, lane.sentUpTo]);
  }
  leaveSentFile(folder, { anyUpTo, positions });
}
