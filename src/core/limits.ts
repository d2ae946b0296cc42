/* Bounds that several rooms share. Each names its unit and its reason. */

/** Bounds of everything that could grow. Each names its unit and why it is what it is. */

/** Bytes of one MQTT packet taken in. Sensors send hundreds; a camera's still picture must pass. */
export const MAX_PACKET_BYTES = 1 << 20;

/** Bytes that "limits.packetSize" may lower that to: a CONNECT with a will still fits. */
export const MIN_PACKET_BYTES = 1_024;

/** Seconds of a keep-alive: 16 bits (MQTT 5, 3.1.2.10). */
export const MAX_KEEP_ALIVE_SECONDS = 65_535;

/** Connections at once, over all listeners. An idle one costs 9 KB, over TLS 60. */
export const MAX_CONNECTIONS = 10_240;

/**
 * Milliseconds before a certificate expires from which on this is reported: a month leaves time for a visit.
 */
export const CERTIFICATE_WARNING_MS = 30 * 24 * 3_600_000;

/** Certificates of one file whose dates are looked at: a chain has three or four. */
export const MAX_CERTIFICATES = 16;

/** Milliseconds that a closed connection may take to send what it still holds. */
export const CLOSE_LINGER_MS = 2_000;

/**
 * Milliseconds between two tries to listen on a port that is in use, and tries: what a hub that was killed
 * had just begun to spawn holds its ports until it is another program.
 */
export const PORT_RETRY_MS = 50;
export const MAX_PORT_RETRIES = 10;

/**
 * Milliseconds that a start waits for the lock of a data folder: a process that was killed holds it until the
 * kernel has ended it.
 */
export const LOCK_TIMEOUT_MS = 500;

/** Hubs that a message may come through: more than any tree of them is high, so that one in a circle ends. */
export const MAX_HOPS = 16;

/** User properties of one packet or message: 200,000 would fit into 1 MB, and hold up the hub for 0.2 s. */
export const MAX_USER_PROPERTIES = 1_024;

/** Milliseconds that one timer may take: 32 bits, signed. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Levels of a topic or filter: each costs a step in the subscription tree. */
export const MAX_TOPIC_LEVELS = 128;

/**
 * Retained messages that are kept, and bytes of their stored form: each counts in memory with its topic
 * alone.
 */
export const MAX_RETAINED = 10_000;
export const MAX_RETAINED_BYTES = 32 << 20;

/**
 * Bytes of a manifest, and objects and lists within each other in it: those that there are need five levels.
 */
export const MAX_MANIFEST_BYTES = 1 << 20;
export const MAX_MANIFEST_DEPTH = 32;

/** Routes of one manifest and characters of one route. */
export const MAX_ROUTES = 256;
export const MAX_ROUTE_LENGTH = 4096;

/**
 * Bytes of one file of certificates or keys: the bundle of all public authorities is a quarter of a megabyte.
 */
export const MAX_TLS_FILE_BYTES = 4 << 20;

/**
 * Bytes waiting in one socket before QoS 0 is dropped for it and its queue is no longer drained: at most, and
 * at least when many sockets are behind.
 */
export const MAX_SOCKET_BACKLOG_BYTES = 1 << 20;
export const MIN_SOCKET_BACKLOG_BYTES = 1 << 14;

/** Bounds of sessions and their subscriptions. */

/** Persistent sessions that are kept: MQTT 3.1.1 lets none expire, and each may have a queue on flash. */
export const MAX_PERSISTENT_SESSIONS = 4096;

/** Bytes of memory that all subscriptions may take, as they are counted: 50,000 of the usual length. */
export const MAX_SUBSCRIPTION_BYTES = 32 << 20;

/**
 * Bytes of memory that all wills may take: a CONNECT may bring one of 64 KB, and a sensor needs some hundred
 * bytes.
 */
export const MAX_WILL_BYTES = 16 << 20;

/** Milliseconds since 1970 that a clock shows at least if it is set: this version is not older. */
export const MIN_PLAUSIBLE_TIME_MS = 1_735_689_600_000;
