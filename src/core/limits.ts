/** Bounds of everything that could grow. Each names its unit and why it is what it is. */

/** Bytes of one MQTT packet taken in. Sensors send hundreds; a camera's still picture must pass. */
export const MAX_PACKET_BYTES = 1 << 20;

/** Bytes that "limits.packetSize" may lower that to: a CONNECT with a will still fits. */
export const MIN_PACKET_BYTES = 1_024;

/** Seconds of a keep-alive: 16 bits (MQTT 5, 3.1.2.10). */
export const MAX_KEEP_ALIVE_SECONDS = 65_535;

/** Connections at once, over all listeners. An idle one costs 9 KB, over TLS 60. */
export const MAX_CONNECTIONS = 10_240;

/** Files that the hub keeps for itself of those that the system lets it open: store, logs, modules. */
export const RESERVED_FILES = 256;

/** Milliseconds between two looks at the files of a certificate. */
export const CERTIFICATE_RELOAD = 10_000;

/** Milliseconds before a certificate expires from which on this is reported: a month leaves time for a visit. */
export const CERTIFICATE_WARNING = 30 * 24 * 3_600_000;

/** Certificates of one file whose dates are looked at: a chain has three or four. */
export const MAX_CERTIFICATES = 16;

/** Lines that a module wrote to standard error last, and bytes of each, that are kept to tell why it failed. */
export const LAST_LINES = 3;
export const LAST_LINE_BYTES = 200;

/** Bytes of the HTTP request that asks for a WebSocket: a browser sends its cookies with it. */
export const MAX_UPGRADE_BYTES = 8_192;

/** Milliseconds between two pings to a WebSocket: proxies give up on a silent one after a minute. */
export const WEBSOCKET_PING = 30_000;

/** Milliseconds from the accept of a connection to its CONNECT, TLS handshake and HTTP request included (MQTT 3.1.1, 3.1.4). */
export const CONNECT_TIMEOUT = 10_000;

/** Milliseconds that a closed connection may take to send what it still holds. */
export const CLOSE_LINGER = 2_000;

/** Bytes of a closed connection that are read and discarded so that its peer can read the reason: more than sockets buffer. */
export const MAX_LINGER_BYTES = 16 << 20;

/**
 * Milliseconds between two tries to listen on a port that is in use, and tries: what a hub that was killed had just begun to spawn holds
 * its ports until it is another program.
 */
export const PORT_LOOK = 50;
export const PORT_LOOKS = 10;

/** Retained messages that are sent to one new subscriber in one turn of the loop. */
export const RETAINED_TURN = 256;

/** Milliseconds that a start waits for the lock of a data folder: a process that was killed holds it until the kernel has ended it. */
export const LOCK_PATIENCE = 500;

/** QoS 1 and 2 messages sent to one client and not yet acknowledged, if it takes so many. */
export const IN_FLIGHT_WINDOW = 256;

/** Hubs that a message may come through: more than any tree of them is high, so that one in a circle ends. */
export const MAX_HOPS = 16;

/** Topic aliases of one connection, in each direction, and UTF-16 units of the topics that a client may give aliases to. */
export const MAX_TOPIC_ALIASES = 64;
export const MAX_ALIASED_TOPIC_UNITS = 16_384;

/** User properties of one packet or message: 200,000 would fit into 1 MB, and hold up the hub for 0.2 s. */
export const MAX_USER_PROPERTIES = 1_024;

/** Receivers of the remembered route of one connection: each costs 8 bytes for every publisher that has it. */
export const MAX_ROUTE_RECEIVERS = 1_024;

/** Bytes of a client identifier: it becomes part of a name in the store. */
export const MAX_CLIENT_ID_BYTES = 1024;

/** Milliseconds between two reports of the broker under $SYS: mosquitto's. */
export const SYS_INTERVAL = 10_000;

/** Milliseconds that one timer may take: 32 bits, signed. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Levels of a topic or filter: each costs a step in the subscription tree. */
export const MAX_TOPIC_LEVELS = 128;

/** Topics whose subscribers are remembered, and those subscribers, in all; then it is begun anew. */
export const MAX_REMEMBERED_MATCHES = 16_384;

/** Entries that are looked at at once when a queue is read through: a batch is what that costs in memory. */
export const DRAIN_BATCH = 32;

/** Times that a receiver may fail on a message before it goes to the dead letters. */
export const MAX_ATTEMPTS = 16;

/** Times that the delivery of a message may throw an exception before it goes to the dead letters, and milliseconds between two. */
export const MAX_DELIVERY_EXCEPTIONS = 4;
export const DELIVERY_RETRY = 1_000;

/** Dead letters that are kept, and their bytes; the oldest go first. */
export const MAX_DEAD_LETTERS = 1_000;
export const MAX_DEAD_LETTER_BYTES = 16 << 20;

/** Retained messages that are kept, and bytes of their stored form: each counts in memory with its topic alone. */
export const MAX_RETAINED = 10_000;
export const MAX_RETAINED_BYTES = 32 << 20;

/** Bytes of the name of settled state: the longest key that LMDB takes with pages of 4 KB. */
export const MAX_NAME_BYTES = 1_978;

/** Bytes of the topic of a retained message: LMDB must be able to name it, and nine of its bytes say what it is. */
export const MAX_RETAINED_TOPIC_BYTES = MAX_NAME_BYTES - 9;

/** Bytes that wait for one MQTT session: a client that stays away costs itself its oldest messages, nobody else. */
export const SESSION_QUEUE_BYTES = 32 << 20;

/** Least bytes of disk that a store may be bounded to: its journals, and some room for messages. */
export const MIN_STORE_BYTES = 8 << 20;

/** Milliseconds between two sweeps for expired messages. */
export const SWEEP_INTERVAL = 4_000;

/** Entries that one step of a sweep takes away, so that a sweep never stalls the loop. */
export const SWEEP_ENTRIES = 2_048;

/** Milliseconds after which hub time is persisted while messages wait: what a power cut may add to a TTL. */
export const HUB_TIME_INTERVAL = 60_000;

/** Milliseconds between two looks at the machine's clocks, and by which a wall clock moves that is taken for a jump. */
export const CLOCK_LOOK = 60_000;
export const CLOCK_JUMP = 10_000;

/**
 * Milliseconds that the hub may have been down and still counts them: by a clock that the network sets a year, by a hardware
 * clock, which anyone may have set, a month. A longer time is taken for a clock that was wrong.
 */
export const LONGEST_DOWNTIME = 366 * 86_400_000;
export const LONGEST_DOWNTIME_BY_RTC = 31 * 86_400_000;

/** Bytes of one line in the log of a module; a longer one is cut there and counted. */
export const MAX_LOG_LINE_BYTES = 1 << 18;

/**
 * Lines of one module that are not yet settled, and their bytes, before its standard output is no longer read: enough for the
 * store to commit many at once. The line that exceeds the bytes is still taken, so that the longest one finds room.
 */
export const MAX_UNSETTLED_LINES = 256;
export const MAX_UNSETTLED_LINE_BYTES = 1 << 20;

/** Milliseconds between two log lines about what one module prints and the hub does not deliver. */
export const LINE_WARNING_INTERVAL = 10_000;

/** Milliseconds after which a line that found no room is offered again. */
export const LINE_RETRY = 1_000;

/** Bytes of one module's log file, and how many are kept beside the newest. */
export const LOG_FILE_BYTES = 1 << 20;
export const LOG_FILES = 3;

/** Bytes of what a module printed on its terminal that are shown to whoever attaches: some screens full. */
export const SCROLLBACK_BYTES = 1 << 16;

/** Viewers of one terminal. */
export const MAX_VIEWERS = 8;

/** Bytes that wait for one viewer of a terminal before it is turned away: the module is not held up for it. */
export const MAX_VIEWER_BACKLOG = 1 << 20;

/** Bytes of one frame from a viewer: what is typed or pasted. */
export const MAX_VIEWER_FRAME_BYTES = 1 << 16;

/** Bytes of the /tmp and the /dev/shm that a sandboxed module has for itself: they are memory. */
export const SANDBOX_TMP_BYTES = 64 << 20;

/** Milliseconds after which the addresses of this machine are read again: the network seldom changes. */
export const OWN_ADDRESSES_KEPT = 1_000;

/** Milliseconds between two looks at a module that is not well yet, at most. */
export const READY_CHECK = 1_000;

/** Messages of more urgent priorities that go upstream for one of a less urgent, if that waits, too. */
export const PRIORITY_WEIGHT = 8;

/** Messages of one publisher taken in and not yet settled before its socket is no longer read. */
export const MAX_UNSETTLED = 1000;

/** Users of one manifest, and topic filters of one list of what is granted: each costs a step for each message. */
export const MAX_USERS = 4_096;
export const MAX_GRANTS = 64;

/** Bytes of a manifest, and objects and lists within each other in it: those that there are need five levels. */
export const MAX_MANIFEST_BYTES = 1 << 20;
export const MAX_MANIFEST_DEPTH = 32;

/** Milliseconds that a change of what runs may be watched: who waits longer waits for something else. */
export const MAX_DEPLOYMENT_WATCH = 86_400_000;

/** Routes of one manifest and characters of one route. */
export const MAX_ROUTES = 256;
export const MAX_ROUTE_LENGTH = 4096;

/** Brackets, function calls, NOT and minus within each other in a condition: each costs stack. */
export const MAX_NESTING = 64;

/** Operands and operators of one condition: bounds the height of its tree, and with it the stack. */
export const MAX_PARTS = 1000;

/** Operands and operators of the conditions that become one function: a larger one is never compiled well. */
export const MAX_FUSED_PARTS = 1000;

/** UTF-16 units of a joined string: a short route could else repeat a long body until the memory is gone. */
export const MAX_JOINED = 1 << 20;

/** Messages that `skerry routes replay` looks at, at once and in all, and those that it shows. */
export const REPLAY_BATCH = 500;
export const MAX_REPLAYED = 100_000;
export const REPLAY_SHOWN = 20;

/** Bytes of a body that conditions look into: parsing a larger one would hold all others up for milliseconds. */
export const MAX_ROUTED_BODY = 1 << 20;

/** Arrays, maps and tags within each other in a CBOR body: each costs stack. */
export const MAX_CBOR_NESTING = 64;

/** Values in a CBOR body, keys among them: each costs up to 60 bytes of memory for the one that it takes to send. */
export const MAX_CBOR_VALUES = 1 << 18;

/** Kinds of message whose routes are remembered; then all are forgotten and found again as they come. */
export const MAX_PLANS = 1024;

/** UTF-16 units of a topic whose routes are remembered: bounds what senders of odd topics can take. */
export const MAX_REMEMBERED_TOPIC = 256;

/** Bytes of a password that "skerry passwd" reads. */
export const MAX_PASSWORD_BYTES = 1_024;

/** Bytes of a deployment of Azure IoT Edge, objects and lists within each other: 50 modules with 32 KB each fit. */
export const MAX_DEPLOYMENT_BYTES = 4 << 20;
export const MAX_DEPLOYMENT_NESTING = 64;

/** Bytes of one request on the control socket. */
export const MAX_CONTROL_REQUEST_BYTES = 1 << 16;

/** Bytes and number of the files in a bundle, unless the manifest says otherwise: a runtime of Node or Python fits. */
export const MAX_BUNDLE_BYTES = 256 << 20;
export const MAX_BUNDLE_FILES = 10_000;

/** Bytes of a key file, one line with a comment, and the public keys that a device trusts: each is read at every deployment. */
export const MAX_KEY_FILE_BYTES = 1_024;
export const MAX_TRUSTED_KEYS = 64;

/** Bytes of a secret that is sealed: a private key with a chain of certificates fits. */
export const MAX_SECRET_BYTES = 1 << 14;

/** Objects and lists within each other in what is signed: each costs stack. A manifest has six. */
export const MAX_SIGNED_NESTING = 64;

/**
 * `oom_score_adj` of modules, the highest there is (proc(5)): the kernel also counts the mapped pages of a program, and in a
 * control group of 64 MB those of the hub's binary alone outweigh 800.
 */
export const MODULE_OOM_SCORE_ADJ = 1_000;
