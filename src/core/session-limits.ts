/** Bounds of sessions and their subscriptions. */

/** Persistent sessions that are kept: MQTT 3.1.1 lets none expire, and each may have a queue on flash. */
export const MAX_PERSISTENT_SESSIONS = 4096;

/** Subscriptions of one session. */
export const MAX_SUBSCRIPTIONS = 1024;

/** Bytes of memory that all subscriptions may take, as they are counted: 50,000 of the usual length. */
export const MAX_SUBSCRIPTION_BYTES = 32 << 20;

/** The same of one session: it is written to the store as a whole whenever one of its subscriptions changes. */
export const MAX_SESSION_SUBSCRIPTION_BYTES = 4 << 20;

/**
 * Bytes that a subscription counts beside its filter, and for each UTF-16 unit of that: the filter and a part of it as
 * strings, two nodes of the tree with their tables, and its place in the session.
 */
export const SUBSCRIPTION_BYTES = 512;
export const SUBSCRIPTION_UNIT_BYTES = 4;

/** Most that "limits" of a manifest may allow of sessions or retained messages, and of bytes of either. */
export const MAX_LIMIT = 1_000_000;
export const MAX_LIMIT_BYTES = 1 << 30;

/** Counted bytes of subscriptions from which on a session is written once at a time. */
export const LARGE_SESSION_BYTES = 1 << 16;
