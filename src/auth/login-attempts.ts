import type { Clock } from '../core/clock.ts';
import {
  FAILED_LOGIN_WINDOW_MS,
  INITIAL_LOCKOUT_MS,
  MAX_FAILED_LOGINS,
  MAX_LOCKOUT_MS,
  MAX_REMEMBERED_FAILURES,
  MAX_SPARE_LOGINS,
} from './limits.ts';

/** Rate limit of failed logins by key, with exponential back-off (brute-force lockout). */
export type LoginAttempts = {
  /** True if `key` is locked out now. */
  readonly refuses: (key: string) => boolean;
  /**
   * Counts a login that is compared with the cached passwords during a lockout. Returns false if
   * MAX_SPARE_LOGINS logins were already counted.
   */
  readonly takeSpare: (key: string) => boolean;
  /**
   * Counts a failed login. Returns the milliseconds of the lockout that this failure starts, or 0 if no
   * lockout starts.
   */
  readonly failed: (key: string) => number;
  readonly succeeded: (key: string) => void;
};

type Failures = { count: number; since: number; wait: number; until: number; spare: number };

export function createLoginAttempts(clock: Clock): LoginAttempts {
  const failures = new Map<string, Failures>();

  /** Returns the failed logins of `key`. The count restarts at 0 after FAILED_LOGIN_WINDOW_MS. */
  const recent = (key: string, now: number): Failures => {
    const known = failures.get(key);
    if (known !== undefined && now - Math.max(known.since, known.until) <= FAILED_LOGIN_WINDOW_MS)
      return known;
    const none = { count: 0, since: now, wait: 0, until: now, spare: 0 };
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
    takeSpare: key => {
      const found = failures.get(key);
      if (found === undefined || found.spare === 0) return false;
      found.spare--;
      return true;
    },
    failed: key => {
      const now = clock.monotonic();
      const found = recent(key, now);
      found.count++;
      if (found.count < MAX_FAILED_LOGINS) return 0;
      found.wait = found.wait === 0 ? INITIAL_LOCKOUT_MS : Math.min(2 * found.wait, MAX_LOCKOUT_MS);
      found.until = now + found.wait;
      found.spare = MAX_SPARE_LOGINS;
      return found.wait;
    },
    succeeded: key => {
      failures.delete(key);
    },
  };
}
