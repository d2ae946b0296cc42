import { repeat } from '../core/async/repeat.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Checkpoints } from './commit/checkpoint.ts';
import type { Committer } from './commit/committer.ts';
import type { DeadLetterStore } from './delivery/dead-letters.ts';
import type { FreeSpace } from './disk/free-space.ts';
import type { DiskUsage } from './entries/disk-usage.ts';
import type { Expiry } from './entries/expiry.ts';
import type { DropReport } from './entries/overflow.ts';
import type { HealthTracker } from './health.ts';
import { HUB_TIME_INTERVAL_MS, SWEEP_INTERVAL_MS } from './limits.ts';
import type { Retained } from './retained.ts';

export type MaintenanceHost = {
  readonly clock: Clock;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  readonly freeSpace: FreeSpace;
  readonly usage: DiskUsage;
  readonly expiry: Expiry;
  readonly retained: Retained;
  /**
   * True while a queue contains an entry, or a retained message has an expiry. Hub time is then stored
   * periodically.
   */
  readonly hasWaiting: () => boolean;
  readonly committer: Committer;
  readonly checkpoints: Checkpoints;
  readonly drops: DropReport;
  readonly deadLetters: Pick<DeadLetterStore, 'flushDeleted'>;
  readonly health: HealthTracker;
  readonly log: Log;
  /** Called after the first round of the periodic work. */
  readonly firstRoundDone: () => void;
};

/** Periodic work of the store: sweeps for expired messages, checks of free space, writes of hub time. */
export type Maintenance = {
  /** Continues a sweep that has paused because too many removals waited for a checkpoint. */
  readonly resume: () => void;
  readonly stop: () => void;
};

export function startMaintenance(host: MaintenanceHost): Maintenance {
  const { clock, now, freeSpace, usage, expiry, retained, committer, checkpoints, health, log } = host;
  const { drops, deadLetters } = host;
  let persisted = now();
  let first = true;
  let paused = false;
  let stopped = false;

  const sweep = (): void => {
    if (stopped) return;
    paused = checkpoints.busy();
    if (paused) return;
    const retainedLeft = retained.step();
    if (expiry.step() || retainedLeft) clock.after(0, sweep);
  };

  const runRound = (): void => {
    freeSpace.measure(usage.used());
    drops.flush(log.warn);
    deadLetters.flushDeleted(log.warn);
    health.refresh();
    expiry.restart();
    sweep();
    if (first) host.firstRoundDone();
    first = false;
    if (now() - persisted < HUB_TIME_INTERVAL_MS || !host.hasWaiting()) return;
    persisted = now();
    committer.persistClock();
  };

  freeSpace.measure(usage.used());
  const cancelRounds = repeat(clock, SWEEP_INTERVAL_MS, runRound);
  return {
    resume: () => {
      if (paused) sweep();
    },
    stop: () => {
      stopped = true;
      cancelRounds();
    },
  };
}
