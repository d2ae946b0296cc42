/* Bounds of password checks and failed logins. */

/**
 * Maximum number of passwords that are hashed at the same time. Each hash takes 8 MB of memory and a thread.
 */
export const MAX_VERIFICATIONS = 2;

/**
 * Maximum number of logins of users that wait for a password check. A separate queue for unknown user names
 * has the same maximum.
 */
export const MAX_WAITING_VERIFICATIONS = 64;

/**
 * Maximum number of correct passwords that are cached, so that a thousand clients can reconnect without
 * hashing.
 */
export const MAX_REMEMBERED_PASSWORDS = 4_096;

/**
 * Number of failed logins after which a lockout starts. Failed logins are counted for each address, and for
 * each pair of user name and address.
 */
export const MAX_FAILED_LOGINS = 5;

/** Milliseconds within which failed logins are counted together. */
export const FAILED_LOGIN_WINDOW_MS = 60_000;

/** Milliseconds of the first lockout. Each further failed login doubles the length of the lockout. */
export const INITIAL_LOCKOUT_MS = 10_000;

/** Maximum milliseconds of a lockout. */
export const MAX_LOCKOUT_MS = 300_000;

/**
 * Maximum number of logins during one lockout that are compared with the cached passwords. Without this
 * maximum, an attacker could guess passwords during the lockout.
 */
export const MAX_SPARE_LOGINS = 16;

/**
 * Maximum number of entries in each table of failed logins: addresses, user names and unknown names. The
 * oldest entries are removed first.
 */
export const MAX_REMEMBERED_FAILURES = 1_024;
