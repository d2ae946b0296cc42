import type { JsonObject } from './json/json-object.ts';

/**
 * Checked manifest with all defaults. Times are in milliseconds and sizes in bytes, unless the name of a
 * field contains another unit.
 */
export type Manifest = {
  /** Name of the device. */
  readonly name: string;
  /**
   * Serial number of a signed manifest. Each new manifest must have a higher serial number than all manifests
   * before.
   */
  readonly serial: number | undefined;
  /**
   * Patterns of the names of devices that accept the manifest. Undefined if every device accepts the
   * manifest.
   */
  readonly for: readonly string[] | undefined;
  readonly signature: ManifestSignature | undefined;
  /** Dialect of the routes. */
  readonly dialect: 'skerry' | 'azure';
  readonly modules: readonly ModuleEntry[];
  readonly routes: readonly RouteEntry[];
  readonly storeAndForward: {
    /** Default time to live of messages in milliseconds. */
    readonly ttl: number;
    /** Maximum bytes on disk of all queues together. */
    readonly maxSize: number;
    /** Maximum bytes on disk of each queue. Undefined if only the total is limited. */
    readonly maxQueueSize: number | undefined;
    readonly whenFull: 'reject' | 'dropOldest';
    /**
     * Minimum milliseconds between two small commits of the store. A commit is small if it does not fill a
     * disk block.
     */
    readonly commitWindow: number;
  };
  readonly listeners: readonly ListenerEntry[];
  readonly users: readonly UserEntry[];
  /** Permissions of anonymous clients. Undefined if the manifest does not set the field. */
  readonly anonymous: TopicLists | undefined;
  readonly limits: Limits;
  /** True if clients are allowed to publish retained messages. */
  readonly retained: boolean;
  /**
   * Upstreams in the order of the manifest. The field `upstream` of the file is an upstream with the name
   * "upstream".
   */
  readonly upstreams: readonly UpstreamEntry[];
  /**
   * Conditions of a successful deployment: within `within` milliseconds, all modules must have been healthy
   * for `healthyFor` milliseconds.
   */
  readonly deployment: { readonly healthyFor: number; readonly within: number };
  /** Hub binary that must run this manifest, by architecture. */
  readonly hub: { readonly x64?: Artifact | undefined; readonly arm64?: Artifact | undefined };
};

/** Limits of the hub as a whole. */
export type Limits = {
  /** Maximum bytes of an MQTT packet from a client. */
  readonly packetSize: number;
  /** Maximum keep-alive of a client in milliseconds. Undefined if unlimited. */
  readonly keepAlive: number | undefined;
  /** Maximum number of connected clients of all listeners. */
  readonly connections: number;
  /** Maximum number of persistent sessions. */
  readonly sessions: number;
  /** Maximum memory in bytes of all subscriptions. */
  readonly subscriptionBytes: number;
  /** Maximum number of retained messages. */
  readonly retained: number;
  /** Maximum bytes on disk of all retained messages. */
  readonly retainedBytes: number;
};

/** Ed25519 public key and signature in base64. */
export type ManifestSignature = { readonly key: string; readonly value: string };

/** File that is identified by its SHA-256 in hexadecimal. */
export type Artifact = {
  readonly sha256: string;
  /**
   * Path relative to the manifest's folder, or https URL. Undefined if the pack (one file with a manifest and
   * all its files) contains the file.
   */
  readonly from?: string | undefined;
};

/** Archive with the program of a module. */
export type BundleEntry = Artifact & {
  /** Maximum total bytes of the files in the archive. */
  readonly size: number;
  /** Maximum number of files in the archive. */
  readonly files: number;
};

/**
 * Sealed (encrypted) secret. `name` is the name of an environment variable of the module. The variable
 * contains the value of the secret. With `as: 'file'`, the variable contains the path of a file with the
 * value.
 */
export type SecretEntry = {
  readonly name: string;
  readonly sealed: string;
  readonly as: 'variable' | 'file';
};

/** Topic filters of permissions. `%c` stands for the client identifier, and `%u` for the user name. */
export type TopicLists = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

export type UserEntry = TopicLists & {
  readonly name: string;
  /** Password hash as printed by `skerry passwd`. */
  readonly password: string | undefined;
  /** Name that a client certificate must contain to authenticate the user. */
  readonly certificate: string | undefined;
};

export type ModuleEntry = TopicLists & {
  readonly name: string;
  /** Program and arguments. Relative paths start in the folder of the bundle, or in the manifest's folder. */
  readonly exec: readonly string[];
  readonly bundle?: BundleEntry | undefined;
  readonly secrets: readonly SecretEntry[];
  readonly io: 'lines' | 'mqtt';
  readonly env: Readonly<Record<string, string>>;
  /** Desired properties, passed as JSON in SKERRY_DESIRED. */
  readonly desired?: JsonObject | undefined;
  readonly restart: 'never' | 'on-failure' | 'on-unhealthy' | 'always';
  readonly startupOrder: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceSeconds: number;
  readonly tty: boolean;
  /**
   * True if the module acknowledges each input line with `{"ack": id}`. If false, a line counts as
   * acknowledged when the hub has written the line to the module.
   */
  readonly ack: boolean;
  readonly backoff: {
    readonly firstSeconds: number;
    readonly factor: number;
    readonly mostSeconds: number;
    readonly resetSeconds: number;
  };
  readonly health?: HealthEntry | undefined;
  /** Resource limits: `memory` and `memoryHigh` in bytes, `cpu` in processors. */
  readonly limits: {
    readonly memory?: number | undefined;
    readonly memoryHigh?: number | undefined;
    readonly cpu?: number | undefined;
    readonly pids?: number | undefined;
    readonly ioWeight?: number | undefined;
  };
  readonly sandbox: 'none' | 'standard' | 'strict';
  /** `none` if the module has no network. Undefined if the module uses the network of the machine. */
  readonly network?: 'none' | undefined;
  readonly user?: string | undefined;
  readonly devices: readonly string[];
  readonly require: boolean;
};

/**
 * Health check of a module. Exactly one of these fields is set: `exec` (a program), `tcp` (a local port), or
 * `mqtt` (the module reports its health).
 */
export type HealthEntry = {
  readonly exec?: readonly string[] | undefined;
  readonly tcp?: number | undefined;
  readonly mqtt?: boolean | undefined;
  readonly everySeconds: number;
  readonly timeoutSeconds: number;
  /** Number of failures in a row after which the module is unhealthy. */
  readonly threshold: number;
  readonly readySeconds: number;
};

export type RouteEntry = {
  readonly name: string;
  readonly text: string;
  /** Priority from 0 to 9. Messages with a lower number are sent first. */
  readonly priority: number;
  /** Time to live of messages in milliseconds. If undefined, the default of the store is used. */
  readonly ttl: number | undefined;
};

export type Address = { readonly host: string; readonly port: number };

/** TLS settings of a listener. Paths are as written in the manifest. */
export type TlsEntry = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly clientCertificates: 'none' | 'optional' | 'required';
  /** File with certificate revocation lists for the client certificates. */
  readonly crl: string | undefined;
};

/** Field of all listeners: maximum number of connections. Undefined if only the hub's limit applies. */
type Bounded = { readonly maxConnections: number | undefined };

/** Fields of a listener for WebSockets. */
type WebEntry = Address & {
  readonly path: string;
  readonly origins: readonly string[];
  readonly hosts: readonly string[];
};

export type ListenerEntry =
  | ({ readonly kind: 'mqtt' } & Address & Bounded)
  | ({ readonly kind: 'mqtts'; readonly tls: TlsEntry } & Address & Bounded)
  | ({ readonly kind: 'ws' } & WebEntry & Bounded)
  | ({ readonly kind: 'wss'; readonly tls: TlsEntry } & WebEntry & Bounded)
  | ({ readonly kind: 'unix'; readonly file: string; readonly mode: number } & Bounded);

export type UpstreamAddress = Address & {
  /** True for MQTT over TLS. */
  readonly secure: boolean;
  /** User name for this address. If undefined, the user name of the upstream is used. */
  readonly username: string | undefined;
  readonly password: string | undefined;
};

/** TLS settings of an upstream. Paths are as written in the manifest. */
export type UpstreamTls = {
  /** CA certificates of the server. If undefined, the system's CA certificates are used. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** SHA-256 fingerprint of the server certificate in hexadecimal. */
  readonly fingerprint?: string | undefined;
  /** Server name for SNI and certificate verification. */
  readonly serverName?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
};

/** Time range in minutes since midnight. If `to` is less than `from`, the range includes midnight. */
export type TimeOfDay = { readonly from: number; readonly to: number };

/** Upstream with its name. Routes refer to an upstream by its name. */
export type UpstreamEntry = Upstream & { readonly name: string };

/** Parent hub or broker to which messages are forwarded. */
export type Upstream = {
  /** Addresses in the order in which they are tried. */
  readonly urls: readonly [UpstreamAddress, ...UpstreamAddress[]];
  readonly username: string | undefined;
  /** Password that is sealed for this device. */
  readonly password: string | undefined;
  readonly profile: 'mqtt' | 'skerry';
  /** Topic template of forwarded messages. If undefined, the profile's template is used. */
  readonly topic: string | undefined;
  readonly exactlyOnce: boolean;
  /** Maximum number of unacknowledged messages. */
  readonly window: number;
  /** Keep-alive in milliseconds. */
  readonly keepAlive: number;
  readonly priorities: 'weighted' | 'strict';
  /**
   * Client identifier. The default is `skerry-<device>:<upstream>`, or `skerry-<device>` for an upstream with
   * the name `upstream`.
   */
  readonly clientId: string | undefined;
  readonly tls: UpstreamTls | undefined;
  /** Topic filters to subscribe to at the upstream. */
  readonly down: readonly string[];
  /** Maximum bytes per day, sent and received. Undefined if unlimited. */
  readonly budget: number | undefined;
  /** Milliseconds between two batches. Undefined if messages are sent immediately. */
  readonly interval: number | undefined;
  /** Periods in local time in which a connection is allowed. Empty if a connection is always allowed. */
  readonly schedule: readonly TimeOfDay[];
};
