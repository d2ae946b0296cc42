/** Bounds of the way up, as in `limits.ts`. */

/** Messages sent upstream and not yet acknowledged, by default and at most: hides a round trip of mobile networks. */
export const UPSTREAM_WINDOW = 64;
export const MAX_UPSTREAM_WINDOW = 1024;

/** Milliseconds: bound of the first wait before the upstream is tried again, of any, and what each is at least. */
export const RECONNECT_DELAY_FIRST = 1_000;
export const RECONNECT_DELAY_MOST = 60_000;
export const RECONNECT_DELAY_LEAST = 100;

/**
 * Milliseconds that the first try after a start waits at most: after a power cut the hubs of a site start in one moment,
 * and a small server greets some hundreds a second over TLS. Nobody who starts one hub by hand notices half a second, and
 * those that a server has no room for are spread further with each try.
 */
export const FIRST_TRY_SPREAD = RECONNECT_DELAY_FIRST;

/** Milliseconds until a connection stands, and again until CONNACK: a mobile network with TLS takes some seconds. */
export const UPSTREAM_CONNECT_TIMEOUT_MS = 20_000;

/**
 * Milliseconds without any acknowledgement by a server that has received what it must acknowledge, until the link ends: a
 * server that commits to a cluster which elects a leader takes some ten seconds, and a retry too early sends all again.
 */
export const ACK_TIMEOUT_MS = 60_000;

/** Milliseconds between two looks at whether anything was acknowledged; if not, a PINGREQ of two bytes asks for more. */
export const ACK_LOOK_MS = 30_000;

/** Seconds of the upstream's keep-alive by default and at most: a dead link is found within one and a half of them. */
export const UPSTREAM_KEEP_ALIVE = 30;
export const MAX_UPSTREAM_KEEP_ALIVE = 65_535;

/** Upstreams of one hub: each has a connection with its buffers. */
export const MAX_UPSTREAMS = 8;

/** Addresses of one upstream, and topic filters that come down from it. */
export const MAX_UPSTREAM_URLS = 16;
export const MAX_DOWN_FILTERS = 64;

/** Least bytes a day that an upstream may be bounded to: keep-alives and an hourly reconnect take some. */
export const MIN_UPSTREAM_BUDGET = 1 << 16;

/** Milliseconds on another address of the upstream before the first is looked at again, and what that grows to. */
export const WAY_BACK_FIRST = 300_000;
export const WAY_BACK_MOST = 3_600_000;

/** Milliseconds that what is on its way may take before the upstream is left for a better address. */
export const LEAVING_PATIENCE = 10_000;

/** Milliseconds of a link without an acknowledgement after which it counts as good, and waits begin anew. */
export const LINK_PROVEN = 60_000;

/**
 * Links in a row that the upstream ends without taking anything, before it is sent one message at a time; or at QoS 2 with
 * one message, before that one is tried at QoS 1. A network that cuts at random does so three times before an answer hardly ever.
 */
export const FRUITLESS_LINKS = 3;

/** Links in a row that end for one message alone until another is sent in its place, to see whether the upstream takes that. */
export const STRIKES = 4;

/** Messages that are so set aside at most: beyond them the upstream takes none, and it is nobody's fault. */
export const MAX_SUSPECTS = 8;

/** Milliseconds that sending rests when the upstream takes no more for now. */
export const UPSTREAM_REST = 5_000;

/** Seconds that the upstream is to keep the hub's session for: longer than messages wait by default. */
export const UPSTREAM_SESSION = 30 * 86_400;

/** Milliseconds since 1970 that a clock shows at least if it is set: this version is not older. */
export const LEAST_PLAUSIBLE_TIME = 1_735_689_600_000;

/** Messages that come down and are not safe here yet beyond which no more is read, and milliseconds until one is offered again. */
export const DOWN_WINDOW = 64;
export const DOWN_RETRY = 1_000;

/** A budget is noted on disk after each such part of it, and, once used up, waits until such a part is there again. */
export const BUDGET_NOTE = 64;
export const BUDGET_SHARE = 96;

/** Milliseconds between two looks at whether the upstream is scheduled: its times are minutes. */
export const SCHEDULE_LOOK = 30_000;

/**
 * Answers of one connection that the hub did not ask for, until it ends the connection. A server that has kept a session whose
 * state the hub has lost sends one for each message under way, which its own window bounds: by default 20 to 1,000.
 */
export const MAX_UNREQUESTED_ANSWERS = 1_024;

/** Messages at QoS 2 that came down and whose PUBREL is still to come: each is settled state on disk, and MQTT 3.1.1 has no bound. */
export const MAX_UNRELEASED = 1_024;

/** Bytes of an unfinished packet that count as a sign of life: what trickles in more slowly is a dead connection. */
export const SIGN_OF_LIFE_BYTES = 1_024;
