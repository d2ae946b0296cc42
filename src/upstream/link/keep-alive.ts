import type { Clock } from '../../core/clock.ts';

/** Fraction of the keep-alive interval after which an idle link sends PINGREQ. */
const PING_FRACTION = 0.85;

/**
 * Interval between two checks of a link that sends packets, as a fraction of the keep-alive interval. A check
 * only sees that a packet was sent since the previous check. The known send time therefore has an error of up
 * to one interval.
 */
const CHECK_FRACTION = 0.4;

/** Timeout of a link that receives nothing, as a multiple of the keep-alive interval (MQTT 5, 3.1.2.10). */
const TIMEOUT_FACTOR = 1.5;

export type KeepAliveSettings = {
  readonly clock: Clock;
  /** Keep-alive interval in milliseconds. */
  readonly milliseconds: number;
  /** Returns the number of bytes in the socket's write buffer. */
  readonly waiting: () => number;
  /** Returns the monotonic time since which the hub reads the socket. Undefined while reading is paused. */
  readonly readingSince: () => number | undefined;
  readonly ping: () => void;
  /**
   * Called when the keep-alive timeout has passed. `silence` is the time in milliseconds without received
   * data.
   */
  readonly dead: (silence: number) => void;
};

/** Keep-alive of a link: sends PINGREQ on an idle link, and detects a dead link. */
export type KeepAlive = {
  /** Records that data was received. */
  readonly heard: () => void;
  /** Records that a packet was sent. Does not read the clock, because sending is on the hot path. */
  readonly said: () => void;
  readonly stop: () => void;
};

export function startKeepAlive(settings: KeepAliveSettings): KeepAlive {
  const { clock, milliseconds, waiting, readingSince, ping, dead } = settings;
  let heard = clock.monotonic();
  /**
   * Monotonic time of the check that precedes the last sent packet. The packet was sent at this time or
   * later.
   */
  let said = heard;
  let checkedAt = heard;
  let hasSent = false;
  let unwritten = 0;

  const check = (): void => {
    const now = clock.monotonic();
    const isBusy = hasSent;
    if (isBusy) said = checkedAt;
    hasSent = false;
    checkedAt = now;
    // If the socket's write buffer shrinks, the server still receives bytes. Such a server is alive, even if
    // it is too busy to answer.
    const unwrittenNow = waiting();
    heard = unwrittenNow < unwritten ? now : Math.max(heard, readingSince() ?? now);
    unwritten = unwrittenNow;
    const deadAt = heard + TIMEOUT_FACTOR * milliseconds;
    if (now >= deadAt) {
      dead(now - heard);
      return;
    }
    let pingAt = Math.min(heard, said) + PING_FRACTION * milliseconds;
    if (now >= pingAt) {
      ping();
      pingAt = now + PING_FRACTION * milliseconds;
    }
    const nextCheck = isBusy ? now + CHECK_FRACTION * milliseconds : pingAt;
    cancel = clock.after(Math.min(nextCheck, pingAt, deadAt) - now, check);
  };

  let cancel = clock.after(PING_FRACTION * milliseconds, check);
  return {
    heard: () => {
      heard = clock.monotonic();
    },
    said: () => {
      hasSent = true;
    },
    stop: () => cancel(),
  };
}

/**
 * Returns the keep-alive of a link in seconds: the lower value of the Server Keep Alive (`wanted`) and the
 * client's keep-alive (`own`). If one value is 0 (no keep-alive), the other value applies, so that a dead
 * link is detected.
 */
export function keepAliveOf(wanted: number | undefined, own: number): number {
  if (wanted === undefined || wanted === 0) return own;
  return own === 0 ? wanted : Math.min(wanted, own);
}
