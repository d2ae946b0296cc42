/* Bounds of connections, sessions and subscriptions. */

/** Files that the hub keeps for itself of those that the system lets it open: store, logs, modules. */
export const RESERVED_FILES = 256;

/** Milliseconds between two looks at the files of a certificate. */
export const CERTIFICATE_RELOAD_MS = 10_000;

/** Bytes of the HTTP request that asks for a WebSocket: a browser sends its cookies with it. */
export const MAX_UPGRADE_BYTES = 8_192;

/** Milliseconds between two pings to a WebSocket: proxies give up on a silent one after a minute. */
export const WEBSOCKET_PING_MS = 30_000;

/**
 * Milliseconds from the accept of a connection to its CONNECT, TLS handshake and HTTP request included (MQTT
 * 3.1.1, 3.1.4).
 */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Bytes of a closed connection that are read and discarded so that its peer can read the reason: more than
 * sockets buffer.
 */
export const MAX_LINGER_BYTES = 16 << 20;

/** Retained messages that are sent to one new subscriber in one turn of the loop. */
export const MAX_RETAINED_PER_TURN = 256;

/** QoS 1 and 2 messages sent to one client and not yet acknowledged, if it takes so many. */
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

/** Bytes of a client identifier: it becomes part of a name in the store. */
export const MAX_CLIENT_ID_BYTES = 1024;

/** Milliseconds between two reports of the broker under $SYS: mosquitto's. */
export const SYS_INTERVAL_MS = 10_000;

/** Topics whose subscribers are remembered, and those subscribers, in all; then the cache is cleared. */
export const MAX_CACHED_MATCHES = 16_384;

/** Messages of one publisher taken in and not yet settled before its socket is no longer read. */
export const MAX_PENDING_PUBLISHES = 1000;

/** Bounds of what takes memory while the hub is under load. */

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
