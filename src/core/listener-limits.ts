/** Bounds of listeners and of TLS, as in `limits.ts`. */

/** Milliseconds before a listener that could not be opened is tried again: they double from and up to these. */
export const LISTENER_RETRY_INITIAL = 1_000;
export const MAX_LISTENER_RETRY = 30_000;

/** Bytes of one file of certificates or keys: the bundle of all public authorities is a quarter of a megabyte. */
export const MAX_TLS_FILE_BYTES = 4 << 20;
