/* Bounds of commands. */

/** Bytes of a password that "skerry passwd" reads. */
export const MAX_PASSWORD_BYTES = 1_024;
