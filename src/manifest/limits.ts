/* Bounds of a manifest and defaults of its fields. */

/** Least bytes of disk that a store may be bounded to: its journals, and some room for messages. */
export const MIN_STORE_BYTES = 8 << 20;

/**
 * Users of one manifest, and topic filters of one list of what is granted: each costs a step for each
 * message.
 */
export const MAX_USERS = 4_096;
export const MAX_GRANTS = 64;

/** Milliseconds that a change of what runs may be watched: who waits longer waits for something else. */
export const MAX_DEPLOYMENT_WATCH_MS = 86_400_000;

/**
 * Bytes of a deployment of Azure IoT Edge, objects and lists within each other: 50 modules with 32 KB each
 * fit.
 */
export const MAX_DEPLOYMENT_BYTES = 4 << 20;
export const MAX_DEPLOYMENT_NESTING = 64;

/**
 * Bytes and number of the files in a bundle, unless the manifest says otherwise: a runtime of Node or Python
 * fits.
 */
export const MAX_BUNDLE_BYTES = 256 << 20;
export const MAX_BUNDLE_FILES = 10_000;

/** Least bytes of memory that a module may be bounded to: no program starts in less. */
export const MIN_MODULE_MEMORY_BYTES = 1 << 20;

/**
 * Bytes of a module's desired properties as JSON, and objects and lists within each other: Azure takes 32 KB
 * and 10.
 */
export const MAX_DESIRED_BYTES = 1 << 15;
export const MAX_DESIRED_NESTING = 16;

/**
 * Start orders of modules, up and down: those of Azure IoT Edge are up to 4294967295, and one may follow the
 * last.
 */
export const MAX_STARTUP_ORDER = 2 ** 32;

/** Most that "limits" of a manifest may allow of sessions or retained messages, and of bytes of either. */
export const MAX_LIMIT = 1_000_000;
export const MAX_LIMIT_BYTES = 1 << 30;

/* Bounds and times of the store: its commits, its journals, its checkpoints and its disk. */

/**
 * Milliseconds between two commits by default: 50 keep a steady load under 8 written bytes per byte of
 * payload.
 */
export const COMMIT_WINDOW_MS = 50;

/** Milliseconds that a manifest may ask for at most. */
export const MAX_COMMIT_WINDOW_MS = 10_000;

/** Bounds of the way up, as in `limits.ts`. */

/**
 * Messages sent upstream and not yet acknowledged, by default and at most: hides a round trip of mobile
 * networks.
 */
export const UPSTREAM_WINDOW = 64;
export const MAX_UPSTREAM_WINDOW = 1024;

/**
 * Seconds of the upstream's keep-alive by default and at most: a dead link is found within one and a half of
 * them.
 */
export const UPSTREAM_KEEP_ALIVE_SECONDS = 30;
export const MAX_UPSTREAM_KEEP_ALIVE_SECONDS = 65_535;

/** Upstreams of one hub: each has a connection with its buffers. */
export const MAX_UPSTREAMS = 8;

/** Addresses of one upstream, and topic filters that come down from it. */
export const MAX_UPSTREAM_URLS = 16;
export const MAX_DOWN_FILTERS = 64;

/** Least bytes a day that an upstream may be bounded to: keep-alives and an hourly reconnect take some. */
export const MIN_UPSTREAM_BUDGET_BYTES = 1 << 16;
