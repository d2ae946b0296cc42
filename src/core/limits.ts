/* Bounds that several folders of src share. Each comment gives the unit and the reason. */

/**
 * Maximum bytes of an MQTT packet. A sensor sends packets of some hundred bytes, but a still picture of a
 * camera must fit, too.
 */
export const MAX_PACKET_BYTES = 1 << 20;

/**
 * Minimum value of "limits.packetSize" in bytes. A CONNECT packet with a will message fits into this size.
 */
export const MIN_PACKET_BYTES = 1_024;

/** Maximum keep-alive in seconds, a number of 16 bits (MQTT 5, 3.1.2.10). */
export const MAX_KEEP_ALIVE_SECONDS = 65_535;

/**
 * Maximum number of connections over all listeners. An idle connection needs 9 KB of memory, with TLS 60 KB.
 */
export const MAX_CONNECTIONS = 10_240;

/**
 * Milliseconds before the expiry of a certificate. From this time on, the hub logs a warning. 30 days are
 * enough to visit the device.
 */
export const CERTIFICATE_WARNING_MS = 30 * 24 * 3_600_000;

/** Maximum number of certificates in one file whose dates are checked. A chain has three or four. */
export const MAX_CERTIFICATES = 16;

/** Maximum milliseconds in which a closed connection can send its remaining bytes. */
export const CLOSE_LINGER_MS = 2_000;

/** Milliseconds between two attempts to listen on a port that is in use. */
export const PORT_RETRY_MS = 50;

/**
 * Maximum number of attempts to listen on a port that is in use. A child process of a killed hub can hold the
 * port until the child calls execve.
 */
export const MAX_PORT_RETRIES = 10;

/**
 * Maximum milliseconds that the hub waits at its start for the lock of the data folder. A killed process
 * holds the lock until the kernel has ended the process.
 */
export const LOCK_TIMEOUT_MS = 500;

/**
 * Maximum number of hubs that a message passes. In a forwarding loop of hubs, the message is dropped after
 * this number. A real tree of hubs has fewer levels.
 */
export const MAX_HOPS = 16;

/**
 * Maximum number of user properties of a packet or message. A packet of 1 MB could contain 200,000 user
 * properties, which would block the hub for 0.2 s.
 */
export const MAX_USER_PROPERTIES = 1_024;

/** Maximum milliseconds of a timer, a signed number of 32 bits. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Maximum number of levels of a topic or filter. Each level costs a step in the subscription tree. */
export const MAX_TOPIC_LEVELS = 128;

/** Maximum number of retained messages. The topic of each retained message is in memory. */
export const MAX_RETAINED = 10_000;

/** Maximum bytes of all encoded retained messages. */
export const MAX_RETAINED_BYTES = 32 << 20;

/** Maximum bytes of a manifest. */
export const MAX_MANIFEST_BYTES = 1 << 20;

/** Maximum depth of nested objects and lists in a manifest. Real manifests need five levels. */
export const MAX_MANIFEST_DEPTH = 32;

/** Maximum number of routes in a manifest. */
export const MAX_ROUTES = 256;

/** Maximum number of characters of a route. */
export const MAX_ROUTE_LENGTH = 4096;

/**
 * Maximum bytes of a file of certificates or keys. A file with the certificates of all public authorities has
 * 250 KB.
 */
export const MAX_TLS_FILE_BYTES = 4 << 20;

/**
 * Maximum unsent bytes in one socket. Beyond this limit QoS 0 messages are dropped, and messages in the queue
 * of the session are not sent.
 */
export const MAX_SOCKET_BACKLOG_BYTES = 1 << 20;

/**
 * Minimum limit of unsent bytes in one socket. If many sockets have unsent bytes, the limit of each socket
 * falls from MAX_SOCKET_BACKLOG_BYTES, but never below this value.
 */
export const MIN_SOCKET_BACKLOG_BYTES = 1 << 14;

/**
 * Maximum number of persistent sessions. Sessions of MQTT 3.1.1 never expire, and each session can have a
 * queue on disk.
 */
export const MAX_PERSISTENT_SESSIONS = 4096;

/** Maximum bytes of memory of all subscriptions: enough for 50,000 subscriptions of the usual length. */
export const MAX_SUBSCRIPTION_BYTES = 32 << 20;

/**
 * Maximum bytes of memory of all wills. A CONNECT packet can contain a will of 64 KB. The will of a sensor
 * has some hundred bytes.
 */
export const MAX_WILL_BYTES = 16 << 20;

/**
 * Earliest plausible time of a wall clock, in milliseconds since 1970. The hub regards a wall clock with an
 * earlier time as not set, because this version of the hub was released later.
 */
export const MIN_PLAUSIBLE_TIME_MS = 1_735_689_600_000;
