/* Bounds of connections, sessions and subscriptions. */

/** File descriptors that are reserved for the store, logs and modules. */
export const RESERVED_FILES = 256;

/** Interval in milliseconds of the check for changed certificate files. */
export const CERTIFICATE_RELOAD_MS = 10_000;

/** Maximum bytes of the HTTP upgrade request: a browser sends its cookies with it. */
export const MAX_UPGRADE_BYTES = 8_192;

/** Interval in milliseconds of WebSocket pings: proxies close an idle connection after a minute. */
export const WEBSOCKET_PING_MS = 30_000;

/**
 * Timeout in milliseconds from the accept of a connection to its CONNECT, including the TLS handshake and the
 * HTTP request (MQTT 3.1.1, 3.1.4).
 */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Bytes of a closed connection that are read and discarded so that its peer can read the reason: more than
 * sockets buffer.
 */
export const MAX_LINGER_BYTES = 16 << 20;

/** Maximum retained messages that one new subscriber gets in one turn of the event loop. */
export const MAX_RETAINED_PER_TURN = 256;

/** Maximum unacknowledged QoS 1 and 2 messages of one client. */
export const MAX_IN_FLIGHT = 256;

/**
 * Topic aliases of one connection, in each direction, and UTF-16 units of the topics that a client may give
 * aliases to.
 */
export const MAX_TOPIC_ALIASES = 64;
export const MAX_ALIASED_TOPIC_UNITS = 16_384;

/**
 * Receivers of the remembered route of one connection: each costs 8 bytes for every publisher that has it.
 */
export const MAX_ROUTE_RECEIVERS = 1_024;

/** Maximum bytes of a client identifier, which becomes part of a key in the store. */
export const MAX_CLIENT_ID_BYTES = 1024;

/** Interval in milliseconds of the $SYS topics, as mosquitto's. */
export const SYS_INTERVAL_MS = 10_000;

/**
 * Maximum entries of the cache of matched topics, and of all its subscribers. Beyond it the cache is cleared.
 */
export const MAX_CACHED_MATCHES = 16_384;

/** Messages of one publisher that are not durable yet, beyond which its socket is not read. */
export const MAX_PENDING_PUBLISHES = 1000;

/** Memory bounds under load. */

/**
 * Bytes of a CONNECT: identifier, password and will of a sensor take some hundred. It comes before the client
 * is known.
 */
export const MAX_CONNECT_BYTES = 1 << 16;

/**
 * Bytes of memory that a connection costs before its CONNECT: over TCP, for an HTTP request, and for a TLS
 * handshake.
 */
export const PLAIN_ARRIVAL_BYTES = 10 << 10;
export const HTTP_ARRIVAL_BYTES = 16 << 10;
export const TLS_ARRIVAL_BYTES = 64 << 10;

/** Bytes of an incomplete packet that are not counted: most packets that come in two pieces have fewer. */
export const FREE_PARTIAL_BYTES = 1 << 12;

/**
 * Messages that a session without a store holds in memory beyond its window, and their bytes; then it has a
 * queue.
 */
export const MAX_VOLATILE_BACKLOG = 1000;
export const MAX_VOLATILE_BACKLOG_BYTES = 1 << 20;

/** Subscriptions of one session. */
export const MAX_SUBSCRIPTIONS = 1024;

/** Bytes of subscriptions of one session, which is stored as a whole whenever one of them changes. */
export const MAX_SESSION_SUBSCRIPTION_BYTES = 4 << 20;

/**
 * Bytes that a subscription counts beside its filter, and for each UTF-16 unit of that: the filter and a part
 * of it as strings, two nodes of the tree with their tables, and its place in the session.
 */
export const SUBSCRIPTION_BYTES = 512;
export const SUBSCRIPTION_UNIT_BYTES = 4;

/** Bytes of memory that a will takes beside its texts and its body. */
export const WILL_BYTES = 256;

/** Counted bytes of subscriptions from which on a session is written once at a time. */
export const LARGE_SESSION_BYTES = 1 << 16;
