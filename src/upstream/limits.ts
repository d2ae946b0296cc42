/* Bounds and times of upstream connections. */

/** Maximum delay in milliseconds of the first reconnect. The maximum doubles with each failed attempt. */
export const INITIAL_RECONNECT_DELAY_MS = 1_000;

/** Maximum delay in milliseconds of any reconnect. */
export const MAX_RECONNECT_DELAY_MS = 60_000;

/** Minimum delay in milliseconds of any reconnect. */
export const MIN_RECONNECT_DELAY_MS = 100;

/**
 * Maximum delay in milliseconds of the first connection after a start. The delay is random. After a power
 * cut, all hubs of a site start at the same time, and a small server accepts only some hundreds of TLS
 * connections per second. If the server refuses a hub, the back-off delays this hub longer.
 */
export const MAX_START_DELAY_MS = INITIAL_RECONNECT_DELAY_MS;

/**
 * Timeout in milliseconds for opening a connection, and then for the CONNACK. Over a mobile network with TLS,
 * each of these two steps takes some seconds.
 */
export const UPSTREAM_CONNECT_TIMEOUT_MS = 20_000;

/**
 * Timeout in milliseconds for an acknowledgement, after a PINGRESP has proven that the server has received
 * the packets. A clustered server can need about ten seconds to acknowledge during a leader election. A
 * reconnect before the acknowledgement would send all unacknowledged messages again.
 */
export const ACK_TIMEOUT_MS = 60_000;

/**
 * Interval in milliseconds between checks for missing acknowledgements. If no acknowledgement has arrived
 * since the previous check, the hub sends a PINGREQ of two bytes.
 */
export const ACK_CHECK_MS = 30_000;

/**
 * Maximum milliseconds from the connection to a secondary address until the first failback check. A failback
 * check tests whether a preferred address accepts connections again.
 */
export const INITIAL_FAILBACK_MS = 300_000;

/**
 * Maximum interval in milliseconds between failback checks (tests whether a preferred address accepts
 * connections).
 */
export const MAX_FAILBACK_MS = 3_600_000;

/**
 * Maximum milliseconds that the hub waits for acknowledgements before it closes the link to return to a
 * preferred address. Also applies at the end of a scheduled period.
 */
export const FAILBACK_DRAIN_TIMEOUT_MS = 10_000;

/**
 * Age in milliseconds at which a link without overdue acknowledgements counts as stable and resets the
 * back-off.
 */
export const STABLE_CONNECTION_MS = 60_000;

/**
 * Number of consecutive connections without any acknowledgement after which the hub sends one message at a
 * time. After the same number, the hub also tests QoS 1 if it does not know whether the server supports QoS
 * 2. A network that fails at random hardly ever interrupts this many connections in a row before an
 * acknowledgement.
 */
export const UNPRODUCTIVE_CONNECTIONS = 3;

/**
 * Number of consecutive connections that end while the same single message is in flight. After this number,
 * the hub defers the message and sends another message first.
 */
export const POISON_THRESHOLD = 4;

/**
 * Maximum number of messages that are deferred as possible poison messages. If more messages fail, the server
 * probably accepts no messages at all.
 */
export const MAX_POISON_MESSAGES = 8;

/** Average pause in milliseconds after the server has temporarily refused a message. */
export const UPSTREAM_PAUSE_MS = 5_000;

/**
 * Session Expiry Interval in seconds of the hub's session on the server. The interval is longer than the
 * default TTL of messages.
 */
export const UPSTREAM_SESSION_SECONDS = 30 * 86_400;

/**
 * Receive Maximum of the hub: maximum number of downstream messages (from the server to the hub) that are not
 * durable yet. While there are more, the hub does not read the socket.
 */
export const MAX_DOWN_WINDOW = 64;

/**
 * Delay in milliseconds before the next attempt to store a downstream message (from the server to the hub).
 */
export const DOWN_RETRY_MS = 1_000;

/**
 * Divisor n of the daily budget: the remaining bytes are saved each time another 1/n of the daily bytes has
 * been used.
 */
export const BUDGET_SAVE_PARTS = 64;

/**
 * Divisor n of the daily budget: an empty budget pauses sending until 1/n of the daily bytes has refilled.
 */
export const BUDGET_RESUME_PARTS = 96;

/** Interval in milliseconds of the schedule check. Schedules have a resolution of minutes. */
export const SCHEDULE_CHECK_MS = 30_000;

/**
 * Maximum number of unexpected acknowledgements on one connection. If the hub has lost its session state, the
 * server's acknowledgements of all messages in flight are unexpected. Servers allow 20 to 1,000 messages in
 * flight by default.
 */
export const MAX_UNREQUESTED_ANSWERS = 1_024;

/**
 * Maximum number of received QoS 2 messages whose PUBREL has not arrived. Each of these messages has metadata
 * on disk. MQTT 3.1.1 defines no maximum.
 */
export const MAX_UNRELEASED = 1_024;

/**
 * Minimum bytes of an incomplete packet that count as activity. A connection that delivers neither a complete
 * packet nor this many bytes until the keep-alive timeout counts as dead.
 */
export const SIGN_OF_LIFE_BYTES = 1_024;
