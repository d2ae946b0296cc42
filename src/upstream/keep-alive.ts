import type { Clock } from '../core/clock.ts';

/** Parts of a keep-alive after which a quiet link is pinged, and a silent one is dead (MQTT 5, 3.1.2.10). */
const QUIET = 0.85;
const SILENT = 1.5;

export type KeepAliveSettings = {
  readonly clock: Clock;
  /** Of the keep-alive. */
  readonly milliseconds: number;
  /** Bytes that the system has not taken yet. */
  readonly waiting: () => number;
  readonly ping: () => void;
  readonly dead: () => void;
};

/** Pings a quiet link, and finds a dead one: nothing has come for one and a half keep-alives. */
export type KeepAlive = {
  readonly heard: () => void;
  /** Something went out. It is called for each message, so it does not ask what time it is. */
  readonly said: () => void;
  readonly stop: () => void;
};

export function startKeepAlive({ clock, milliseconds, waiting, ping, dead }: KeepAliveSettings): KeepAlive {
  let heard = clock.monotonic();
  let said = heard;
  let looked = heard;
  let hasSpoken = false;
  let untaken = 0;

  const look = (): void => {
    const now = clock.monotonic();
    if (hasSpoken) said = Math.max(looked, heard);
    hasSpoken = false;
    looked = now;
    // What takes bytes is alive, though it may have no time for an answer.
    const left = waiting();
    if (left < untaken) heard = now;
    untaken = left;
    const death = heard + SILENT * milliseconds;
    if (now >= death) {
      dead();
      return;
    }
    let quiet = Math.min(heard, said) + QUIET * milliseconds;
    if (now >= quiet) {
      ping();
      quiet = now + QUIET * milliseconds;
    }
    cancel = clock.after(Math.min(quiet, death) - now, look);
  };

  let cancel = clock.after(QUIET * milliseconds, look);
  return {
    heard: () => {
      heard = clock.monotonic();
    },
    said: () => {
      hasSpoken = true;
    },
    stop: () => cancel(),
  };
}

/** Seconds. A server that wants none (0) gets the client's own, without which a dead link goes unnoticed. */
export function keepAliveOf(wanted: number | undefined, own: number): number {
  if (wanted === undefined || wanted === 0) return own;
  return own === 0 ? wanted : Math.min(wanted, own);
}
