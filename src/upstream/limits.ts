/* Bounds and times of upstream connections. */

/**
 * Milliseconds: bound of the first wait before the upstream is tried again, of any, and what each is at
 * least.
 */
export const INITIAL_RECONNECT_DELAY_MS = 1_000;
export const MAX_RECONNECT_DELAY_MS = 60_000;
export const MIN_RECONNECT_DELAY_MS = 100;

/**
 * Milliseconds that the first try after a start waits at most: after a power cut the hubs of a site start in
 * one moment, and a small server greets some hundreds a second over TLS. Nobody who starts one hub by hand
 * notices half a second, and those that a server has no room for are spread further with each try.
 */
export const MAX_START_DELAY_MS = INITIAL_RECONNECT_DELAY_MS;

/**
 * Milliseconds until a connection stands, and again until CONNACK: a mobile network with TLS takes some
 * seconds.
 */
export const UPSTREAM_CONNECT_TIMEOUT_MS = 20_000;

/**
 * Milliseconds without any acknowledgement by a server that has received what it must acknowledge, until the
 * link ends: a server that commits to a cluster which elects a leader takes some ten seconds, and a retry too
 * early sends all again.
 */
export const ACK_TIMEOUT_MS = 60_000;

/**
 * Milliseconds between two looks at whether anything was acknowledged; if not, a PINGREQ of two bytes asks
 * for more.
 */
export const ACK_CHECK_MS = 30_000;

/**
 * Milliseconds on another address of the upstream before the first is looked at again, and what that grows
 * to.
 */
export const INITIAL_FAILBACK_MS = 300_000;
export const MAX_FAILBACK_MS = 3_600_000;

/** Milliseconds that what is on its way may take before the upstream is left for a better address. */
export const FAILBACK_DRAIN_TIMEOUT_MS = 10_000;

/**
 * Milliseconds of a link without an acknowledgement after which it counts as good, and reconnect delays start
 * again.
 */
export const STABLE_CONNECTION_MS = 60_000;

/**
 * Links in a row that the upstream ends without taking anything, before it is sent one message at a time; or
 * at QoS 2 with one message, before that one is tried at QoS 1. A network that cuts at random does so three
 * times before an answer hardly ever.
 */
export const UNPRODUCTIVE_CONNECTIONS = 3;

/**
 * Links in a row that end for one message alone until another is sent in its place, to see whether the
 * upstream takes that.
 */
export const POISON_THRESHOLD = 4;

/** Messages that are so set aside at most: beyond them the upstream takes none, and it is nobody's fault. */
export const MAX_POISON_MESSAGES = 8;

/** Milliseconds that sending rests when the upstream takes no more for now. */
export const UPSTREAM_PAUSE_MS = 5_000;

/** Seconds that the upstream is to keep the hub's session for: longer than messages wait by default. */
export const UPSTREAM_SESSION_SECONDS = 30 * 86_400;

/**
 * Messages that come down and are not safe here yet beyond which no more is read, and milliseconds until one
 * is offered again.
 */
export const MAX_DOWN_WINDOW = 64;
export const DOWN_RETRY_MS = 1_000;

/**
 * A budget is noted on disk after each such part of it, and, once used up, waits until such a part is there
 * again.
 */
export const BUDGET_SAVE_PARTS = 64;
export const BUDGET_RESUME_PARTS = 96;

/** Milliseconds between two looks at whether the upstream is scheduled: its times are minutes. */
export const SCHEDULE_CHECK_MS = 30_000;

/**
 * Answers of one connection that the hub did not ask for, until it ends the connection. A server that has
 * kept a session whose state the hub has lost sends one for each message under way, which its own window
 * bounds: by default 20 to 1,000.
 */
export const MAX_UNREQUESTED_ANSWERS = 1_024;

/**
 * Messages at QoS 2 that came down and whose PUBREL is still to come: each is settled state on disk, and MQTT
 * 3.1.1 has no bound.
 */
export const MAX_UNRELEASED = 1_024;

/**
 * Bytes of an unfinished packet that count as a sign of life: what trickles in more slowly is a dead
 * connection.
 */
export const SIGN_OF_LIFE_BYTES = 1_024;
