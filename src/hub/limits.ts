/* Bounds of the control socket, routed bodies, clocks and memory. */

/**
 * Bytes that wait for one MQTT session: a client that stays away costs itself its oldest messages, nobody
 * else.
 */
export const MAX_SESSION_QUEUE_BYTES = 32 << 20;

/**
 * Milliseconds between two looks at the machine's clocks, and by which a wall clock moves that is taken for a
 * jump.
 */
export const CLOCK_CHECK_MS = 60_000;
export const CLOCK_JUMP_MS = 10_000;

/**
 * Milliseconds that the hub may have been down and still counts them: by a clock that the network sets a
 * year, by a hardware clock, which anyone may have set, a month. A longer time is taken for a clock that was
 * wrong.
 */
export const MAX_DOWNTIME_MS = 366 * 86_400_000;
export const MAX_RTC_DOWNTIME_MS = 31 * 86_400_000;

/**
 * Bytes that wait for one viewer of a terminal before it is turned away: the module is not held up for it.
 */
export const MAX_VIEWER_BACKLOG_BYTES = 1 << 20;

/** Bytes of one frame from a viewer: what is typed or pasted. */
export const MAX_VIEWER_FRAME_BYTES = 1 << 16;

/** Messages that `skerry routes replay` looks at, at once and in all, and those that it shows. */
export const REPLAY_BATCH = 500;
export const MAX_REPLAYED = 100_000;
export const MAX_REPLAY_SHOWN = 20;

/**
 * Bytes of a body that conditions look into: parsing a larger one would hold all others up for milliseconds.
 */
export const MAX_ROUTED_BODY_BYTES = 1 << 20;

/** Arrays, maps and tags within each other in a CBOR body: each costs stack. */
export const MAX_CBOR_NESTING = 64;

/**
 * Values in a CBOR body, keys among them: each costs up to 60 bytes of memory for the one that it takes to
 * send.
 */
export const MAX_CBOR_VALUES = 1 << 18;

/** Bytes of one request on the control socket. */
export const MAX_CONTROL_REQUEST_BYTES = 1 << 16;

/** Bounds of listeners and of TLS, as in `limits.ts`. */

/**
 * Milliseconds before a listener that could not be opened is tried again: they double from and up to these.
 */
export const INITIAL_LISTENER_RETRY_MS = 1_000;
export const MAX_LISTENER_RETRY_MS = 30_000;

/**
 * Milliseconds between two looks at the hub's memory, and bytes that it may have grown by before something is
 * done.
 */
export const MEMORY_CHECK_MS = 2_000;
export const MEMORY_SLACK_BYTES = 2 << 20;

/**
 * Bytes of input after which the hub's buffers are looked at, and bytes that they may have grown by before
 * garbage is collected.
 */
export const INPUT_CHECK_BYTES = 2 << 20;
export const BUFFER_SLACK_BYTES = 10 << 20;
