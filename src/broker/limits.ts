/* Limits of connections, sessions and subscriptions. */

/**
 * Number of file descriptors that are reserved for the store, the logs, the control socket and module
 * processes.
 */
export const RESERVED_FILES = 256;

/** Interval in milliseconds of the check for changed certificate files. */
export const CERTIFICATE_RELOAD_MS = 10_000;

/** Maximum bytes of an HTTP upgrade request, large enough for the cookies that a browser sends. */
export const MAX_UPGRADE_BYTES = 8_192;

/** Interval in milliseconds of WebSocket pings. Proxies often close a connection after an idle minute. */
export const WEBSOCKET_PING_MS = 30_000;

/**
 * Timeout in milliseconds from the accept of a connection to its CONNECT, including the TLS handshake and the
 * HTTP request (MQTT 3.1.1, 3.1.4).
 */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Maximum bytes of input that are read and discarded while a connection is closed (lingering close). The
 * limit is larger than the kernel's socket buffers. Therefore all input that the peer has already sent is
 * read.
 */
export const MAX_LINGER_BYTES = 16 << 20;

/** Maximum retained messages that are sent to one client in one turn of the event loop. */
export const MAX_RETAINED_PER_TURN = 256;

/** Maximum unacknowledged QoS 1 and 2 messages to one client. */
export const MAX_IN_FLIGHT = 256;

/** Maximum topic aliases of one connection in each direction. */
export const MAX_TOPIC_ALIASES = 64;

/** Maximum total length of the topics to which one client assigns aliases, in UTF-16 units. */
export const MAX_ALIASED_TOPIC_UNITS = 16_384;

/**
 * Maximum receivers of a cached route. Each connection caches one route, in which each receiver takes 8 bytes
 * of memory.
 */
export const MAX_ROUTE_RECEIVERS = 1_024;

/** Maximum bytes of a client identifier, which is part of a key in the store. */
export const MAX_CLIENT_ID_BYTES = 1024;

/** Interval in milliseconds between two publications of the $SYS topics. Equals the default of mosquitto. */
export const SYS_INTERVAL_MS = 10_000;

/**
 * Maximum size of the cache of matched topics: the number of topics plus the number of their subscribers. A
 * cache that exceeds the maximum is cleared.
 */
export const MAX_CACHED_MATCHES = 16_384;

/**
 * Maximum messages of one publisher that are not durable yet. At the maximum, the broker does not read the
 * publisher's socket.
 */
export const MAX_PENDING_PUBLISHES = 1000;

/** Maximum bytes of a CONNECT. The client is not authenticated yet, so the limit is low. */
export const MAX_CONNECT_BYTES = 1 << 16;

/** Estimated memory in bytes of a plain TCP connection before its CONNECT. */
export const PLAIN_ARRIVAL_BYTES = 10 << 10;

/** Estimated memory in bytes of an HTTP connection before its CONNECT. */
export const HTTP_ARRIVAL_BYTES = 16 << 10;

/** Estimated memory in bytes of a TLS connection before its CONNECT. */
export const TLS_ARRIVAL_BYTES = 64 << 10;

/**
 * Maximum bytes of an incomplete packet that does not count towards the memory limit of incomplete packets.
 */
export const FREE_PARTIAL_BYTES = 1 << 12;

/**
 * Maximum messages that wait in memory for a client whose session is not persistent. Further messages go to
 * the session's queue.
 */
export const MAX_VOLATILE_BACKLOG = 1000;

/** Maximum bytes of the messages that wait in memory for a client whose session is not persistent. */
export const MAX_VOLATILE_BACKLOG_BYTES = 1 << 20;

/** Maximum subscriptions of one session. */
export const MAX_SUBSCRIPTIONS = 1024;

/**
 * Maximum estimated memory in bytes of the subscriptions of one session. The memory is limited because each
 * change of a subscription writes all subscriptions of the session to the store.
 */
export const MAX_SESSION_SUBSCRIPTION_BYTES = 4 << 20;

/**
 * Estimated memory in bytes of a subscription without its filter: two nodes of the subscription tree and an
 * entry in the session.
 */
export const SUBSCRIPTION_BYTES = 512;

/**
 * Estimated memory in bytes per UTF-16 unit of a filter: 2 bytes in the session, and 2 bytes in the
 * subscription tree.
 */
export const SUBSCRIPTION_UNIT_BYTES = 4;

/** Estimated memory in bytes of a will without its texts and its payload. */
export const WILL_BYTES = 256;

/**
 * Minimum estimated memory in bytes of the subscriptions of a large session. If a large session changes
 * several times while it is being written, the changes are combined into the next write.
 */
export const LARGE_SESSION_BYTES = 1 << 16;
