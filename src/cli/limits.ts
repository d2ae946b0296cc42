/* Bounds of commands. */

/** Maximum bytes of a password that `skerry passwd` accepts. */
export const MAX_PASSWORD_BYTES = 1_024;
