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
  /** Monotonic time since which the hub reads the socket; undefined while it does not. */
  readonly readingSince: () => number | undefined;
  readonly ping: () => void;
  /** Nothing came for so many milliseconds. */
  readonly dead: (silence: number) => void;
};

/** Pings a quiet link, and finds a dead one: nothing has come for one and a half keep-alives. */
export type KeepAlive = {
  readonly heard: () => void;
  /** Something went out. It is called for each message, so it does not ask what time it is. */
  readonly said: () => void;
  readonly stop: () => void;
};

export function startKeepAlive(settings: KeepAliveSettings): KeepAlive {
  const { clock, milliseconds, waiting, readingSince, ping, dead } = settings;
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
    heard = left < untaken ? now : Math.max(heard, readingSince() ?? now);
    untaken = left;
    const death = heard + SILENT * milliseconds;
    if (now >= death) {
      dead(now - heard);
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
