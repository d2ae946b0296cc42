import type { Clock } from '../core/clock.ts';
import {
  FAILED_LOGIN_WINDOW,
  LOGIN_WAIT_FIRST,
  LOGIN_WAIT_MOST,
  MAX_FAILED_LOGINS,
  MAX_REMEMBERED_FAILURES,
} from '../core/limits.ts';

/** Who failed to log in, by name or by address, and for how long none is heard of it now. */
export type LoginAttempts = {
  readonly refuses: (key: string) => boolean;
  /** Returns the milliseconds that nothing is heard of `key` from now on; 0: it may go on. */
  readonly failed: (key: string) => number;
  readonly succeeded: (key: string) => void;
};

type Failures = { count: number; since: number; wait: number; until: number };

export function createLoginAttempts(clock: Clock): LoginAttempts {
  const failures = new Map<string, Failures>();

  /** What is remembered of `key`; a minute without a failure is forgiven. */
  const recent = (key: string, now: number): Failures => {
    const known = failures.get(key);
    if (known !== undefined && now - Math.max(known.since, known.until) <= FAILED_LOGIN_WINDOW) return known;
    const none = { count: 0, since: now, wait: 0, until: now };
    failures.delete(key);
    failures.set(key, none);
    for (const oldest of failures.keys()) {
      if (failures.size <= MAX_REMEMBERED_FAILURES) break;
      failures.delete(oldest);
    }
    return none;
  };

  return {
    refuses: key => (failures.get(key)?.until ?? 0) > clock.monotonic(),
    failed: key => {
      const now = clock.monotonic();
      const found = recent(key, now);
      found.count++;
      if (found.count < MAX_FAILED_LOGINS) return 0;
      found.wait = found.wait === 0 ? LOGIN_WAIT_FIRST : Math.min(2 * found.wait, LOGIN_WAIT_MOST);
      found.until = now + found.wait;
      return found.wait;
    },
    succeeded: key => {
      failures.delete(key);
    },
  };
}
