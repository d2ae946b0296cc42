/* Bounds of the control socket, routed bodies, clocks, listeners and memory. */

/**
 * Maximum bytes of messages that wait for one MQTT session. When a new message would exceed the maximum, the
 * oldest messages of the session are dropped.
 */
export const MAX_SESSION_QUEUE_BYTES = 32 << 20;

/** Milliseconds between two checks of the machine's clocks. */
export const CLOCK_CHECK_MS = 60_000;

/** Minimum change of the wall clock in milliseconds that counts as a jump. */
export const CLOCK_JUMP_MS = 10_000;

/**
 * Maximum plausible downtime in milliseconds if NTP has set the wall clock. A longer downtime counts as 0.
 */
export const MAX_DOWNTIME_MS = 366 * 86_400_000;

/**
 * Maximum plausible downtime in milliseconds if the wall clock is confirmed by the hardware clock instead of
 * NTP. A longer downtime counts as 0. This maximum is lower than MAX_DOWNTIME_MS, because a hardware clock
 * can be wrong.
 */
export const MAX_RTC_DOWNTIME_MS = 31 * 86_400_000;

/**
 * Maximum bytes of terminal output that wait for one viewer. A viewer that exceeds the maximum is
 * disconnected, because a slow viewer must not slow down the module.
 */
export const MAX_VIEWER_BACKLOG_BYTES = 1 << 20;

/** Maximum bytes of one frame of terminal input from a viewer. */
export const MAX_VIEWER_FRAME_BYTES = 1 << 16;

/** Number of messages that `skerry routes replay` examines in one turn of the event loop. */
export const REPLAY_BATCH = 500;

/** Maximum number of messages that `skerry routes replay` examines. */
export const MAX_REPLAYED = 100_000;

/** Maximum number of matching messages that `skerry routes replay` shows. */
export const MAX_REPLAY_SHOWN = 20;

/**
 * Maximum bytes of a body that route conditions can read. Parsing a larger body would block the event loop
 * for milliseconds.
 */
export const MAX_ROUTED_BODY_BYTES = 1 << 20;

/**
 * Maximum nesting depth of arrays, maps and tags in a CBOR body. The depth is limited, because the decoder is
 * recursive.
 */
export const MAX_CBOR_NESTING = 64;

/**
 * Maximum number of values in a CBOR body, including the keys of maps. The number is limited, because a value
 * of one byte can take up to 60 bytes of memory after decoding.
 */
export const MAX_CBOR_VALUES = 1 << 18;

/** Maximum bytes of one request on the control socket. */
export const MAX_CONTROL_REQUEST_BYTES = 1 << 16;

/** Milliseconds until the first retry to open a listener. The delay doubles with each further retry. */
export const INITIAL_LISTENER_RETRY_MS = 1_000;

/** Maximum milliseconds between two retries to open a listener. */
export const MAX_LISTENER_RETRY_MS = 30_000;

/** Milliseconds between two checks of the hub's anonymous memory. */
export const MEMORY_CHECK_MS = 2_000;

/**
 * Maximum growth of anonymous memory in bytes. After a larger growth, the hub collects garbage and trims the
 * heap.
 */
export const MEMORY_SLACK_BYTES = 2 << 20;

/** Number of received bytes after which the hub checks the memory that buffers use. */
export const INPUT_CHECK_BYTES = 2 << 20;

/**
 * Maximum growth in bytes of the memory that buffers use. After a larger growth, the hub collects garbage.
 */
export const BUFFER_SLACK_BYTES = 7 << 20;
