import type { Clock } from '../../core/clock.ts';

/** Fraction of the keep-alive after which an idle link sends PINGREQ. */
const PING_FRACTION = 0.85;

/**
 * Fraction of the keep-alive between two checks of a link that sends. A check only finds out that a packet
 * was sent since the previous check, and not the time of the packet.
 */
const CHECK_FRACTION = 0.4;

/** Multiple of the keep-alive after which a link that receives nothing is dead (MQTT 5, 3.1.2.10). */
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
  /** Called when nothing was received for `silence` milliseconds. */
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
  /** Lower bound of the monotonic time at which the hub sent its last packet. */
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
    // A server whose socket accepts bytes is alive, even if the server is too busy to answer.
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
 * Returns the keep-alive of a link in seconds: the lower one of the client's and the server's. If the Server
 * Keep Alive is 0, the client's keep-alive applies, because without a keep-alive a dead link would never be
 * detected.
 */
export function keepAliveOf(wanted: number | undefined, own: number): number {
  if (wanted === undefined || wanted === 0) return own;
  return own === 0 ? wanted : Math.min(wanted, own);
}
