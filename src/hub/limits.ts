/* Bounds of the control socket, routed bodies, clocks, listeners and memory. */

/**
 * Maximum bytes of messages that wait for one MQTT session. At the maximum, the session loses its oldest
 * messages.
 */
export const MAX_SESSION_QUEUE_BYTES = 32 << 20;

/** Milliseconds between two checks of the machine's clocks. */
export const CLOCK_CHECK_MS = 60_000;

/** Minimum milliseconds of a wall clock adjustment that counts as a jump. */
export const CLOCK_JUMP_MS = 10_000;

/** Maximum plausible downtime in milliseconds if NTP has set the clock. A longer downtime counts as 0. */
export const MAX_DOWNTIME_MS = 366 * 86_400_000;

/**
 * Maximum plausible downtime in milliseconds if it is computed from the hardware clock, which may be wrong. A
 * longer downtime counts as 0.
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

/** Maximum messages that `skerry routes replay` examines. */
export const MAX_REPLAYED = 100_000;

/** Maximum matching messages that `skerry routes replay` shows. */
export const MAX_REPLAY_SHOWN = 20;

/**
 * Maximum bytes of a body that route conditions can read. Parsing a larger body would block the event loop
 * for milliseconds.
 */
export const MAX_ROUTED_BODY_BYTES = 1 << 20;

/** Maximum nesting of arrays, maps and tags in a CBOR body, because the decoder recurses. */
export const MAX_CBOR_NESTING = 64;

/**
 * Maximum values, including keys, in a CBOR body. A value of one byte can take up to 60 bytes of memory when
 * it is decoded.
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

/** Maximum growth of anonymous memory in bytes before the hub collects garbage and trims the heap. */
export const MEMORY_SLACK_BYTES = 2 << 20;

/** Received bytes between two checks of the memory that buffers use. */
export const INPUT_CHECK_BYTES = 2 << 20;

/** Maximum growth in bytes of the memory that buffers use before the hub collects garbage. */
export const BUFFER_SLACK_BYTES = 10 << 20;
