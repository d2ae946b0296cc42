import type { Clock } from '../../core/clock.ts';
import { ACK_CHECK_MS, ACK_TIMEOUT_MS } from '../limits.ts';
import type { Link } from './link.ts';

export type AckTimeoutSettings = {
  readonly link: Pick<Link, 'ping' | 'readingSince' | 'fail'>;
  /**
   * Returns the name of a missing acknowledgement, such as PUBACK. Returns undefined if no acknowledgement is
   * missing.
   */
  readonly awaited: () => string | undefined;
  readonly clock: Clock;
};

/**
 * Timeout that ends a link if the server receives packets and acknowledges none of them. If no
 * acknowledgement has arrived since the last check, the hub sends a PINGREQ after the packets. The PINGRESP
 * proves that the server has received the packets, and starts the timeout. A slow network therefore does not
 * end the link.
 */
export type AckTimeout = {
  /** Resets the timeout. Called after each expected acknowledgement. */
  readonly progressed: () => void;
  readonly stop: () => void;
};

export function startAckTimeout({ link, awaited, clock }: AckTimeoutSettings): AckTimeout {
  let progress = 0;
  let lastProgress = 0;
  let pingSent = false;
  /**
   * Monotonic time in milliseconds at which the PINGRESP arrived. An acknowledgement resets the time to
   * undefined.
   */
  let receivedAt: number | undefined;

  const sendPing = (): void => {
    const before = progress;
    pingSent = true;
    link.ping(() => {
      pingSent = false;
      if (progress !== before) return;
      receivedAt = clock.monotonic();
      checkIn(ACK_TIMEOUT_MS);
    });
  };

  const check = (): void => {
    const name = awaited();
    const hasProgressed = progress !== lastProgress;
    lastProgress = progress;
    if (name === undefined || hasProgressed) receivedAt = undefined;
    else if (receivedAt === undefined) {
      if (!pingSent) sendPing();
    } else {
      const now = clock.monotonic();
      // While the hub pauses reading, acknowledgements can be in the socket's receive buffer. The timeout
      // therefore restarts when reading resumes.
      const remaining = Math.max(receivedAt, link.readingSince() ?? now) + ACK_TIMEOUT_MS - now;
      if (remaining <= 0) link.fail(`no ${name} for ${ACK_TIMEOUT_MS / 1000} s`, 'unanswered');
      else checkIn(remaining);
      return;
    }
    checkIn(ACK_CHECK_MS);
  };

  const checkIn = (milliseconds: number): void => {
    cancel();
    cancel = clock.after(milliseconds, check);
  };

  let cancel = clock.after(ACK_CHECK_MS, check);
  return {
    progressed: () => {
      progress++;
      receivedAt = undefined;
    },
    stop: () => cancel(),
  };
}
