/* Bounds of a manifest, and defaults of its fields. */

/** Minimum bytes of a store: enough for the journals and some messages. */
export const MIN_STORE_BYTES = 8 << 20;

/** Maximum number of users of one manifest. */
export const MAX_USERS = 4_096;

/** Maximum number of topic filters in one list of permissions. Each filter costs time for each message. */
export const MAX_GRANTS = 64;

/** Highest value in milliseconds that a manifest can set for `healthyFor` and `within`: one day. */
export const MAX_DEPLOYMENT_WATCH_MS = 86_400_000;

/** Maximum bytes of an Azure IoT Edge deployment: enough for 50 modules with 32 KB each. */
export const MAX_DEPLOYMENT_BYTES = 4 << 20;

/** Maximum levels of nested objects and arrays in an Azure IoT Edge deployment. */
export const MAX_DEPLOYMENT_NESTING = 64;

/** Default maximum of the total bytes of the files in a bundle: enough for a runtime of Node or Python. */
export const MAX_BUNDLE_BYTES = 256 << 20;

/** Default maximum number of files in a bundle: enough for a runtime of Node or Python. */
export const MAX_BUNDLE_FILES = 10_000;

/** Minimum memory limit of a module in bytes. No program starts with less. */
export const MIN_MODULE_MEMORY_BYTES = 1 << 20;

/** Maximum bytes of a module's desired properties as JSON. Azure IoT Edge has the same limit. */
export const MAX_DESIRED_BYTES = 1 << 15;

/** Maximum levels of nested objects and arrays in desired properties. Azure IoT Edge allows 10. */
export const MAX_DESIRED_NESTING = 16;

/**
 * Maximum absolute value of a module's startup order. Azure IoT Edge allows 0 to 4294967295. If a module of
 * an imported deployment has no order, the import sets an order above all others.
 */
export const MAX_STARTUP_ORDER = 2 ** 32;

/** Highest value that a manifest can set for `limits.sessions` and `limits.retained`. */
export const MAX_LIMIT = 1_000_000;

/**
 * Highest value in bytes that a manifest can set for `limits.subscriptionBytes` and `limits.retainedBytes`.
 */
export const MAX_LIMIT_BYTES = 1 << 30;

/**
 * Default for the minimum milliseconds between two small commits of the store. With 50 ms, a steady load
 * writes less than 8 bytes to flash for each byte of payload.
 */
export const COMMIT_WINDOW_MS = 50;

/** Highest value in milliseconds that a manifest can set for `storeAndForward.commitWindow`. */
export const MAX_COMMIT_WINDOW_MS = 10_000;

/**
 * Default maximum number of unacknowledged messages to an upstream. With 64 messages, a round trip on a
 * mobile network does not interrupt sending.
 */
export const UPSTREAM_WINDOW = 64;

/** Highest value that a manifest can set as the maximum number of unacknowledged messages to an upstream. */
export const MAX_UPSTREAM_WINDOW = 1024;

/**
 * Default keep-alive of an upstream in seconds. A dead connection is detected within 1.5 times the
 * keep-alive.
 */
export const UPSTREAM_KEEP_ALIVE_SECONDS = 30;

/** Maximum keep-alive of an upstream in seconds: the largest value in a CONNECT packet. */
export const MAX_UPSTREAM_KEEP_ALIVE_SECONDS = 65_535;

/** Maximum number of upstreams of one hub. Each upstream has a connection with buffers. */
export const MAX_UPSTREAMS = 8;

/** Maximum number of addresses of one upstream. */
export const MAX_UPSTREAM_URLS = 16;

/** Maximum number of topic filters of downstream messages (from the upstream to the hub) for one upstream. */
export const MAX_DOWN_FILTERS = 64;

/**
 * Minimum budget of an upstream in bytes per day. Keep-alive packets and hourly reconnects already use a part
 * of this budget.
 */
export const MIN_UPSTREAM_BUDGET_BYTES = 1 << 16;
