/* Bounds and times of upstream connections. */

/** Maximum delay in milliseconds of the first reconnect. The maximum doubles with each failed attempt. */
export const INITIAL_RECONNECT_DELAY_MS = 1_000;

/** Maximum delay in milliseconds of any reconnect. */
export const MAX_RECONNECT_DELAY_MS = 60_000;

/** Minimum delay in milliseconds of any reconnect. */
export const MIN_RECONNECT_DELAY_MS = 100;

/**
 * Maximum delay in milliseconds of the first connection after a start. After a power cut all hubs of a site
 * start at the same time, and a small server accepts only some hundreds of TLS connections a second. The
 * delay is too short to annoy a user. A hub that the server refuses is delayed longer by the back-off.
 */
export const MAX_START_DELAY_MS = INITIAL_RECONNECT_DELAY_MS;

/**
 * Timeout in milliseconds for opening a connection. The same timeout then applies to the CONNACK. A mobile
 * network with TLS needs some seconds for each.
 */
export const UPSTREAM_CONNECT_TIMEOUT_MS = 20_000;

/**
 * Timeout in milliseconds for any acknowledgement by a server that has received packets. A clustered server
 * may need about ten seconds to acknowledge during a leader election. A reconnect before the acknowledgement
 * would send all unacknowledged messages again.
 */
export const ACK_TIMEOUT_MS = 60_000;

/**
 * Interval in milliseconds between checks for missing acknowledgements. If nothing was acknowledged since the
 * previous check, a PINGREQ of two bytes is sent.
 */
export const ACK_CHECK_MS = 30_000;

/** Milliseconds from the connection to a secondary address until the first failback check. */
export const INITIAL_FAILBACK_MS = 300_000;

/** Maximum interval in milliseconds of failback checks. */
export const MAX_FAILBACK_MS = 3_600_000;

/** Timeout in milliseconds for messages in flight before the link is closed for a failback. */
export const FAILBACK_DRAIN_TIMEOUT_MS = 10_000;

/**
 * Age in milliseconds at which a link without overdue acknowledgements counts as stable and resets the
 * back-off.
 */
export const STABLE_CONNECTION_MS = 60_000;

/**
 * Number of consecutive connections without any acknowledgement after which messages are sent one at a time.
 * If that single message has QoS 2, it is then tried at QoS 1. A network that fails at random hardly ever
 * cuts this many connections in a row before an acknowledgement.
 */
export const UNPRODUCTIVE_CONNECTIONS = 3;

/**
 * Number of consecutive connections that end with the same single message in flight, after which this message
 * is deferred and another message is tried.
 */
export const POISON_THRESHOLD = 4;

/**
 * Maximum number of messages that are deferred as possible poison messages. If more messages fail, the cause
 * is probably a server that accepts no messages.
 */
export const MAX_POISON_MESSAGES = 8;

/** Pause in milliseconds after the server has answered that it temporarily accepts no more messages. */
export const UPSTREAM_PAUSE_MS = 5_000;

/**
 * Session Expiry Interval in seconds of the hub's session on the server. The interval is longer than the
 * default TTL of messages.
 */
export const UPSTREAM_SESSION_SECONDS = 30 * 86_400;

/**
 * Maximum number of received downstream messages that are not yet durable. When this number is reached, the
 * socket is not read.
 */
export const MAX_DOWN_WINDOW = 64;

/** Delay in milliseconds before a downstream message that could not be stored is stored again. */
export const DOWN_RETRY_MS = 1_000;

/** Divisor n of the daily budget: the remaining budget is saved whenever 1/n of the daily bytes was used. */
export const BUDGET_SAVE_PARTS = 64;

/**
 * Divisor n of the daily budget: after the budget was empty, sending resumes when 1/n of the daily bytes has
 * refilled.
 */
export const BUDGET_RESUME_PARTS = 96;

/** Interval in milliseconds of the schedule check. Schedules have a resolution of minutes. */
export const SCHEDULE_CHECK_MS = 30_000;

/**
 * Maximum number of unexpected acknowledgements on one connection. If the hub has lost its session, the
 * server still acknowledges each message that was in flight. Servers allow 20 to 1,000 messages in flight by
 * default.
 */
export const MAX_UNREQUESTED_ANSWERS = 1_024;

/**
 * Maximum number of received QoS 2 messages without PUBREL. Each of these messages has metadata on disk, and
 * MQTT 3.1.1 defines no maximum.
 */
export const MAX_UNRELEASED = 1_024;

/**
 * Minimum bytes of an incomplete packet that count as activity. A connection that delivers fewer bytes within
 * the keep-alive is dead.
 */
export const SIGN_OF_LIFE_BYTES = 1_024;
