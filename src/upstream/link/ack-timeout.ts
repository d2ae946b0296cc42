import type { Clock } from '../../core/clock.ts';
import { ACK_CHECK_MS, ACK_TIMEOUT_MS } from '../limits.ts';
import type { Link } from './link.ts';

export type AckTimeoutSettings = {
  readonly link: Pick<Link, 'ping' | 'readingSince' | 'fail'>;
  /** Returns the name of a missing acknowledgement, such as PUBACK. Undefined if none is missing. */
  readonly awaited: () => string | undefined;
  readonly clock: Clock;
};

/**
 * Timeout that ends a link whose server receives packets and acknowledges none of them. If nothing was
 * acknowledged since the last check, a PINGREQ is sent after the packets. The timeout starts when the
 * PINGRESP arrives, because the PINGRESP proves that the server has received the packets. So a slow network
 * does not end the link.
 */
export type AckTimeout = {
  /** Restarts the timeout after an expected acknowledgement. */
  readonly progressed: () => void;
  readonly stop: () => void;
};

export function startAckTimeout({ link, awaited, clock }: AckTimeoutSettings): AckTimeout {
  let progress = 0;
  let lastProgress = 0;
  let pingSent = false;
  /** Monotonic time at which the PINGRESP arrived. Undefined after an acknowledgement. */
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
      // The timeout does not run while the hub does not read the socket, because acknowledgements may be in
      // the receive buffer.
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
