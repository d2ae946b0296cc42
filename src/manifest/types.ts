import type { JsonObject } from './json/json-object.ts';

/** Checked manifest with all defaults, in plain units. */
export type Manifest = {
  /** Name of the device. */
  readonly name: string;
  /** Serial number of a signed manifest, which must increase. Undefined if not used. */
  readonly serial: number | undefined;
  /** Names of the devices that accept it, as patterns; undefined if every device does. */
  readonly for: readonly string[] | undefined;
  readonly signature: ManifestSignature | undefined;
  /** Dialect of the routes. */
  readonly dialect: 'skerry' | 'azure';
  readonly modules: readonly ModuleEntry[];
  readonly routes: readonly RouteEntry[];
  readonly storeAndForward: {
    /** Milliseconds. */
    readonly ttl: number;
    /** Bytes on disk of all queues and of each queue. Undefined if only the total is limited. */
    readonly maxSize: number;
    readonly maxQueueSize: number | undefined;
    readonly whenFull: 'reject' | 'dropOldest';
    /** Milliseconds. */
    readonly commitWindow: number;
  };
  readonly listeners: readonly ListenerEntry[];
  readonly users: readonly UserEntry[];
  /** Permissions of anonymous clients. Undefined if not set. */
  readonly anonymous: TopicLists | undefined;
  readonly limits: Limits;
  /** True if clients may retain messages. */
  readonly retained: boolean;
  /** In the order of the manifest; its field `upstream` gives one of the name "upstream". */
  readonly upstreams: readonly UpstreamEntry[];
  /** A deployment is successful if all modules are healthy for `healthyFor` within `within`; milliseconds. */
  readonly deployment: { readonly healthyFor: number; readonly within: number };
  /** Hub binary that runs this manifest, by architecture. */
  readonly hub: { readonly x64?: Artifact | undefined; readonly arm64?: Artifact | undefined };
};

/** Limits of the hub as a whole. */
export type Limits = {
  /** Bytes of one MQTT packet of a client. */
  readonly packetSize: number;
  /** Maximum keep-alive in milliseconds. Undefined if unlimited. */
  readonly keepAlive: number | undefined;
  /** Clients connected at once, over all listeners. */
  readonly connections: number;
  /** Persistent sessions. */
  readonly sessions: number;
  readonly subscriptionBytes: number;
  /** Retained messages. */
  readonly retained: number;
  readonly retainedBytes: number;
};

/** Ed25519 public key and signature in base64. */
export type ManifestSignature = { readonly key: string; readonly value: string };

/** File identified by its SHA-256 in hexadecimal. */
export type Artifact = {
  readonly sha256: string;
  /** Path relative to the manifest's folder, or https URL. Undefined if the file is in the same pack. */
  readonly from?: string | undefined;
};

/** Archive with the program of a module. */
export type BundleEntry = Artifact & {
  /** Maximum total bytes and number of the files in it. */
  readonly size: number;
  readonly files: number;
};

/** Sealed secret, passed in a variable or in a file whose path is in the variable. */
export type SecretEntry = {
  readonly name: string;
  readonly sealed: string;
  readonly as: 'variable' | 'file';
};

/** Topic filters, in which `%c` and `%u` stand for the client identifier and the user name. */
export type TopicLists = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

export type UserEntry = TopicLists & {
  readonly name: string;
  /** Password hash as printed by `skerry passwd`. */
  readonly password: string | undefined;
  /** Name in the client certificate. */
  readonly certificate: string | undefined;
};

export type ModuleEntry = TopicLists & {
  readonly name: string;
  /** With a bundle, relative paths start in the bundle. */
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
  /** Input lines are acknowledged by `{"ack": id}` of the module, not when they are written. */
  readonly ack: boolean;
  readonly backoff: {
    readonly firstSeconds: number;
    readonly factor: number;
    readonly mostSeconds: number;
    readonly resetSeconds: number;
  };
  readonly health?: HealthEntry | undefined;
  /** Memory in bytes, `cpu` in processors. */
  readonly limits: {
    readonly memory?: number | undefined;
    readonly memoryHigh?: number | undefined;
    readonly cpu?: number | undefined;
    readonly pids?: number | undefined;
    readonly ioWeight?: number | undefined;
  };
  readonly sandbox: 'none' | 'standard' | 'strict';
  /** Undefined for the network of the host. */
  readonly network?: 'none' | undefined;
  readonly user?: string | undefined;
  readonly devices: readonly string[];
  readonly require: boolean;
};

/** Exactly one of `exec`, `tcp` (a local port) and `mqtt` (reported by the module) is set. */
export type HealthEntry = {
  readonly exec?: readonly string[] | undefined;
  readonly tcp?: number | undefined;
  readonly mqtt?: boolean | undefined;
  readonly everySeconds: number;
  readonly timeoutSeconds: number;
  /** Failures in a row until the module is unhealthy. */
  readonly threshold: number;
  readonly readySeconds: number;
};

export type RouteEntry = {
  readonly name: string;
  readonly text: string;
  /** 0 to 9, lower first. */
  readonly priority: number;
  /** Milliseconds. Undefined for the default of the store. */
  readonly ttl: number | undefined;
};

export type Address = { readonly host: string; readonly port: number };

/** Files by their paths as written. */
export type TlsEntry = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly clientCertificates: 'none' | 'optional' | 'required';
  /** Certificate revocation lists of the client certificates' issuers. */
  readonly crl: string | undefined;
};

/** Maximum connections of this listener. Undefined if only the hub's limit applies. */
type Bounded = { readonly maxConnections: number | undefined };

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
  /** MQTT over TLS. */
  readonly secure: boolean;
  /** Undefined for the user name of the upstream. */
  readonly username: string | undefined;
  readonly password: string | undefined;
};

/** Files by their paths as written. */
export type UpstreamTls = {
  /** CA certificates of the server. Undefined for those of the system. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** SHA-256 fingerprint of the server certificate in hexadecimal. */
  readonly fingerprint?: string | undefined;
  /** Server name for SNI and certificate verification. */
  readonly serverName?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
};

/** Time range in minutes of the day. It spans midnight if it ends before it begins. */
export type TimeOfDay = { readonly from: number; readonly to: number };

/** Parent hub or broker with its name in routes. */
export type UpstreamEntry = Upstream & { readonly name: string };

export type Upstream = {
  /** Addresses in the order in which they are tried. */
  readonly urls: readonly [UpstreamAddress, ...UpstreamAddress[]];
  readonly username: string | undefined;
  /** Password, sealed for this device. */
  readonly password: string | undefined;
  readonly profile: 'mqtt' | 'skerry';
  /** Topic template. Undefined for the default of the profile. */
  readonly topic: string | undefined;
  readonly exactlyOnce: boolean;
  /** Maximum unacknowledged messages. */
  readonly window: number;
  /** Milliseconds. */
  readonly keepAlive: number;
  readonly priorities: 'weighted' | 'strict';
  /**
   * Client identifier. By default `skerry-` and the device's name, followed by `:` and the upstream's name
   * unless that is `upstream`.
   */
  readonly clientId: string | undefined;
  readonly tls: UpstreamTls | undefined;
  /** Topic filters to subscribe to at the upstream. */
  readonly down: readonly string[];
  /** Maximum bytes per day. */
  readonly budget: number | undefined;
  /** Milliseconds between two batches. */
  readonly interval: number | undefined;
  /** Connection times in local time. Empty for always. */
  readonly schedule: readonly TimeOfDay[];
};
