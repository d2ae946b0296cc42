/* Bounds of keys, signatures and secrets. */

/**
 * Bytes of a key file, one line with a comment, and the public keys that a device trusts: each is read at
 * every deployment.
 */
export const MAX_KEY_FILE_BYTES = 1_024;
export const MAX_TRUSTED_KEYS = 64;

/** Bytes of a secret that is sealed: a private key with a chain of certificates fits. */
export const MAX_SECRET_BYTES = 1 << 14;

/** Objects and lists within each other in what is signed: each costs stack. A manifest has six. */
export const MAX_SIGNED_NESTING = 64;
