/* Bounds of password checks and failed logins. */

/** Maximum passwords that are hashed at the same time. Each takes 8 MB of memory and a thread. */
export const MAX_VERIFICATIONS = 2;

/** Maximum logins of users that wait for a password check. The same maximum applies to unknown user names. */
export const MAX_WAITING_VERIFICATIONS = 64;

/** Maximum correct passwords that are cached, so that a thousand clients can reconnect without hashing. */
export const MAX_REMEMBERED_PASSWORDS = 4_096;

/** Failed logins that start a lockout. Counted for each address, and for each user name with an address. */
export const MAX_FAILED_LOGINS = 5;

/** Milliseconds within which failed logins are counted together. */
export const FAILED_LOGIN_WINDOW_MS = 60_000;

/** Milliseconds of the first lockout. The time doubles with each further failed login. */
export const INITIAL_LOCKOUT_MS = 10_000;

/** Maximum milliseconds of a lockout. */
export const MAX_LOCKOUT_MS = 300_000;

/**
 * Maximum logins during one lockout that are compared with the cached passwords. The bound prevents guessing
 * passwords by such logins.
 */
export const MAX_SPARE_LOGINS = 16;

/**
 * Maximum entries in each table of failed logins: addresses, user names and unknown names. The oldest entries
 * are removed first.
 */
export const MAX_REMEMBERED_FAILURES = 1_024;
