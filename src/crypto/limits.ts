/* Bounds of keys, signatures and secrets. */

/** Maximum bytes of a key file, which contains one line with a comment. */
export const MAX_KEY_FILE_BYTES = 1_024;

/**
 * Maximum number of public keys that a device trusts. The hub reads all trusted keys for every deployment.
 */
export const MAX_TRUSTED_KEYS = 64;

/** Maximum bytes of a secret that is sealed. Enough for a private key with a chain of certificates. */
export const MAX_SECRET_BYTES = 1 << 14;

/**
 * Maximum depth of nested objects and lists in signed JSON, because each level uses stack. A manifest has six
 * levels.
 */
export const MAX_SIGNED_NESTING = 64;
