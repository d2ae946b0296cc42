import type { Clock } from '../core/clock.ts';
import { HUB_TIME_INTERVAL, SWEEP_INTERVAL } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Checkpoints } from './commit/checkpoint.ts';
import type { Committer } from './commit/commit.ts';
import type { Room } from './disk/room.ts';
import type { Expiry } from './entries/expiry.ts';
import type { Drops } from './entries/overflow.ts';
import type { Retained } from './entries/retained.ts';
import type { Usage } from './entries/usage.ts';
import type { Health } from './health.ts';

export type RoundsHost = {
  readonly clock: Clock;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly room: Room;
  readonly usage: Usage;
  readonly expiry: Expiry;
  readonly retained: Retained;
  /** True while anything is kept that expires by hub time. */
  readonly waiting: () => boolean;
  readonly committer: Committer;
  readonly checkpoints: Checkpoints;
  readonly drops: Drops;
  readonly health: Health;
  readonly log: Log;
  /** The first round is over. */
  readonly lasted: () => void;
};

/** What the store does by itself, again and again: sweeps, looks at the disk, persists hub time. */
export type Rounds = {
  /** The disk takes removals again: a sweep that stopped for it goes on. */
  readonly resume: () => void;
  readonly stop: () => void;
};

export function startRounds(host: RoundsHost): Rounds {
  const { clock, now, room, usage, expiry, retained, committer, checkpoints, drops, health, log } = host;
  let persisted = now();
  let first = true;
  let paused = false;
  let stopped = false;

  const sweep = (): void => {
    if (stopped) return;
    paused = checkpoints.busy();
    if (paused) return;
    const more = retained.step();
    if (expiry.step() || more) clock.after(0, sweep);
  };

  const round = (): void => {
    if (stopped) return;
    clock.after(SWEEP_INTERVAL, round);
    room.look(usage.used());
    drops.tell(log.warn);
    health.round();
    expiry.restart();
    sweep();
    if (first) host.lasted();
    first = false;
    if (now() - persisted < HUB_TIME_INTERVAL || !host.waiting()) return;
    persisted = now();
    committer.touch();
  };

  room.look(usage.used());
  clock.after(SWEEP_INTERVAL, round);
  return {
    resume: () => {
      if (paused) sweep();
    },
    stop: () => {
      stopped = true;
    },
  };
}
