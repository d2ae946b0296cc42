/* Bounds of password checks and failed logins. */

/**
 * Passwords that are compared with their hashes at once, 8 MB and a thread each; and that wait for it, of
 * users and of unknown names, each.
 */
export const MAX_VERIFICATIONS = 2;
export const MAX_WAITING_VERIFICATIONS = 64;

/**
 * Passwords that were right and are known again without their hash: a thousand clients that come back at
 * once.
 */
export const MAX_REMEMBERED_PASSWORDS = 4_096;

/**
 * Failed logins of a name from an address, or of an address, within so many milliseconds, before it is locked
 * out there for a time that doubles, from and up to.
 */
export const MAX_FAILED_LOGINS = 5;
export const FAILED_LOGIN_WINDOW_MS = 60_000;
export const INITIAL_LOCKOUT_MS = 10_000;
export const MAX_LOCKOUT_MS = 300_000;

/**
 * Logins during one lock-out that are accepted if their password was right elsewhere: more would be a way to
 * guess it.
 */
export const MAX_SPARE_LOGINS = 16;

/**
 * Addresses, users and unknown names, each, whose failed logins are remembered; the oldest are forgotten
 * first.
 */
export const MAX_REMEMBERED_FAILURES = 1_024;
