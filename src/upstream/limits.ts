/* Bounds and times of upstream connections. */

/** Milliseconds: maximum delay of the first reconnect, of any reconnect, and minimum delay. */
export const INITIAL_RECONNECT_DELAY_MS = 1_000;
export const MAX_RECONNECT_DELAY_MS = 60_000;
export const MIN_RECONNECT_DELAY_MS = 100;

/**
 * Maximum delay in milliseconds of the first connection after a start. After a power cut all hubs of a site
 * start at once, and a small server accepts some hundreds of TLS connections a second. A user who starts one
 * hub does not notice half a second, and refused hubs are spread further by each retry.
 */
export const MAX_START_DELAY_MS = INITIAL_RECONNECT_DELAY_MS;

/**
 * Timeout in milliseconds of a connection, and then of its CONNACK. A mobile network with TLS takes some
 * seconds.
 */
export const UPSTREAM_CONNECT_TIMEOUT_MS = 20_000;

/**
 * Timeout in milliseconds for any acknowledgement by a server that has received packets. A server that
 * commits to a cluster during a leader election takes some ten seconds, and an early reconnect sends
 * everything again.
 */
export const ACK_TIMEOUT_MS = 60_000;

/**
 * Interval in milliseconds of the check for acknowledgements. Without any, it sends a PINGREQ of two bytes.
 */
export const ACK_CHECK_MS = 30_000;

/**
 * Milliseconds on a secondary address before the first failback check, and the maximum interval of these
 * checks.
 */
export const INITIAL_FAILBACK_MS = 300_000;
export const MAX_FAILBACK_MS = 3_600_000;

/** Milliseconds that messages in flight may take before the link is closed for a failback. */
export const FAILBACK_DRAIN_TIMEOUT_MS = 10_000;

/**
 * Age in milliseconds at which a link without overdue acknowledgements counts as stable and resets the
 * back-off.
 */
export const STABLE_CONNECTION_MS = 60_000;

/**
 * Number of consecutive unproductive connections after which messages are sent one at a time; or, at QoS 2
 * with a single message, after which that message is tried at QoS 1. A network that cuts at random hardly
 * ever cuts three times before an answer.
 */
export const UNPRODUCTIVE_CONNECTIONS = 3;

/**
 * Number of consecutive connections that end with the same single message in flight, after which another
 * message is tried.
 */
export const POISON_THRESHOLD = 4;

/**
 * Maximum number of deferred messages. Beyond it the upstream accepts nothing, and no message is at fault.
 */
export const MAX_POISON_MESSAGES = 8;

/** Pause in milliseconds after the upstream has answered that it accepts no more for now. */
export const UPSTREAM_PAUSE_MS = 5_000;

/** Session Expiry Interval in seconds: longer than messages wait by default. */
export const UPSTREAM_SESSION_SECONDS = 30 * 86_400;

/**
 * Number of downstream messages that are not yet durable beyond which the socket is not read, and the
 * interval in milliseconds of retries.
 */
export const MAX_DOWN_WINDOW = 64;
export const DOWN_RETRY_MS = 1_000;

/**
 * Fraction of a budget after which it is stored, and fraction that an empty budget refills before sending
 * resumes.
 */
export const BUDGET_SAVE_PARTS = 64;
export const BUDGET_RESUME_PARTS = 96;

/** Interval in milliseconds of the schedule check. Schedules have a resolution of minutes. */
export const SCHEDULE_CHECK_MS = 30_000;

/**
 * Maximum number of unexpected acknowledgements on one connection. A server whose session the hub has lost
 * sends one for each message in flight, which its own window bounds: by default 20 to 1,000.
 */
export const MAX_UNREQUESTED_ANSWERS = 1_024;

/**
 * Maximum number of received QoS 2 messages without PUBREL: each has metadata on disk, and MQTT 3.1.1 has no
 * bound.
 */
export const MAX_UNRELEASED = 1_024;

/** Bytes of an incomplete packet that count as activity. A connection that delivers more slowly is dead. */
export const SIGN_OF_LIFE_BYTES = 1_024;
