import type { Clock } from '../../core/clock.ts';

/**
 * Fractions of the keep-alive after which an idle link sends PINGREQ, and after which a silent link is dead
 * (MQTT 5, 3.1.2.10).
 */
const QUIET = 0.85;
const SILENT = 1.5;

export type KeepAliveSettings = {
  readonly clock: Clock;
  /** Keep-alive interval in milliseconds. */
  readonly milliseconds: number;
  /** Bytes in the socket's write buffer. */
  readonly waiting: () => number;
  /** Monotonic time since which the hub reads the socket. Undefined while it does not read. */
  readonly readingSince: () => number | undefined;
  readonly ping: () => void;
  /** Called when nothing was received for `silence` milliseconds. */
  readonly dead: (silence: number) => void;
};

/** Sends PINGREQ on an idle link, and detects a dead one: nothing received for one and a half keep-alives. */
export type KeepAlive = {
  readonly heard: () => void;
  /** Called for each sent packet. Does not read the clock, because it is on the hot path. */
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
    // A peer that accepts bytes is alive, even if it has no time to answer.
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

/**
 * Keep-alive in seconds. A Server Keep Alive of 0 is replaced by the client's own, without which a dead link
 * is never detected.
 */
export function keepAliveOf(wanted: number | undefined, own: number): number {
  if (wanted === undefined || wanted === 0) return own;
  return own === 0 ? wanted : Math.min(wanted, own);
}
