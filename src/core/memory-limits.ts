/** Bounds of what takes memory while the hub is under load. */

/** Bytes of a CONNECT: identifier, password and will of a sensor take some hundred. It comes before the client is known. */
export const MAX_CONNECT_BYTES = 1 << 16;

/** Bytes of memory that a connection costs before its CONNECT: over TCP, for an HTTP request, and for a TLS handshake. */
export const PLAIN_ARRIVAL_BYTES = 10 << 10;
export const HTTP_ARRIVAL_BYTES = 16 << 10;
export const TLS_ARRIVAL_BYTES = 64 << 10;

/**
 * Bytes waiting in one socket before QoS 0 is dropped for it and its queue is no longer drained: at most, and at least when many
 * sockets are behind.
 */
export const MAX_SOCKET_BACKLOG_BYTES = 1 << 20;
export const MIN_SOCKET_BACKLOG_BYTES = 1 << 14;

/** Bytes of an incomplete packet that are not counted: most packets that come in two pieces have fewer. */
export const FREE_PARTIAL_BYTES = 1 << 12;

/** Messages that a session without a store holds in memory beyond its window, and their bytes; then it has a queue. */
export const MAX_VOLATILE_BACKLOG = 1000;
export const MAX_VOLATILE_BACKLOG_BYTES = 1 << 20;

/** Milliseconds between two looks at the hub's memory, and bytes that it may have grown by before something is done. */
export const MEMORY_LOOK = 2_000;
export const MEMORY_SLACK = 2 << 20;

/** Bytes of input after which the hub's buffers are looked at, and bytes that they may have grown by before garbage is collected. */
export const INPUT_LOOK = 2 << 20;
export const BUFFER_SLACK = 10 << 20;
