import type { Clock } from '../../core/clock.ts';
import { ACK_CHECK_MS, ACK_TIMEOUT_MS } from '../limits.ts';
import type { Link } from './link.ts';

export type AckTimeoutSettings = {
  readonly link: Pick<Link, 'ping' | 'readingSince' | 'fail'>;
  /** Name of a packet that the server still has to send; undefined if there is none. */
  readonly awaited: () => string | undefined;
  readonly clock: Clock;
};

/**
 * Ends a link whose server receives packets and acknowledges none of them. A slow network does not count: if
 * nothing was acknowledged since the last check, a PINGREQ follows the sent packets, and the timeout starts
 * at its PINGRESP, which proves that the server has received them.
 */
export type AckTimeout = {
  /** Restarts the timeout after an expected acknowledgement. */
  readonly progressed: () => void;
  readonly stop: () => void;
};

export function startAckTimeout({ link, awaited, clock }: AckTimeoutSettings): AckTimeout {
  let progress = 0;
  let seen = 0;
  let asking = false;
  /** Time of the PINGRESP after which nothing was acknowledged. */
  let receivedAt: number | undefined;

  const ask = (): void => {
    const before = progress;
    asking = true;
    link.ping(() => {
      asking = false;
      if (progress !== before) return;
      receivedAt = clock.monotonic();
      lookIn(ACK_TIMEOUT_MS);
    });
  };

  const look = (): void => {
    const name = awaited();
    const moved = progress !== seen;
    seen = progress;
    if (name === undefined || moved) receivedAt = undefined;
    else if (receivedAt === undefined) {
      if (!asking) ask();
    } else {
      const now = clock.monotonic();
      // Time in which the hub does not read the socket does not count, because acknowledgements may be
      // waiting there.
      const left = Math.max(receivedAt, link.readingSince() ?? now) + ACK_TIMEOUT_MS - now;
      if (left <= 0) link.fail(`no ${name} for ${ACK_TIMEOUT_MS / 1000} s`, 'unanswered');
      else lookIn(left);
      return;
    }
    lookIn(ACK_CHECK_MS);
  };

  const lookIn = (milliseconds: number): void => {
    cancel();
    cancel = clock.after(milliseconds, look);
  };

  let cancel = clock.after(ACK_CHECK_MS, look);
  return {
    progressed: () => {
      progress++;
      receivedAt = undefined;
    },
    stop: () => cancel(),
  };
}
