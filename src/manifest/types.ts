import type { JsonObject } from './json/json-object.ts';

/** What should run, checked, with all defaults and in plain units. */
export type Manifest = {
  /** The device's name. */
  readonly name: string;
  /** Rises with each manifest that is signed; undefined: it is not counted. */
  readonly serial: number | undefined;
  /** Names of the devices that accept it, as patterns; undefined if every device does. */
  readonly for: readonly string[] | undefined;
  readonly signature: Signature | undefined;
  /** How its routes are read. */
  readonly dialect: 'skerry' | 'azure';
  readonly modules: readonly ModuleEntry[];
  readonly routes: readonly RouteEntry[];
  readonly storeAndForward: {
    /** Milliseconds. */
    readonly ttl: number;
    /** Bytes of disk, of all and of any one queue; undefined: the store's alone. */
    readonly maxSize: number;
    readonly maxQueueSize: number | undefined;
    readonly whenFull: 'reject' | 'dropOldest';
    /** Milliseconds. */
    readonly commitWindow: number;
  };
  readonly listeners: readonly ListenerEntry[];
  readonly users: readonly UserEntry[];
  /** What clients without a name may do; undefined: nothing is said of them. */
  readonly anonymous: TopicLists | undefined;
  readonly limits: Limits;
  /** Whether messages may be retained. */
  readonly retained: boolean;
  /** `upstream` is the one of that name. */
  readonly upstreams: readonly UpstreamEntry[];
  /** A change to this has succeeded when all modules were well for `healthyFor`, within `within`; milliseconds. */
  readonly deployment: { readonly healthyFor: number; readonly within: number };
  /** The hub that is to run it, by architecture. */
  readonly hub: { readonly x64?: Artifact | undefined; readonly arm64?: Artifact | undefined };
};

/** Limits of the hub as a whole. */
export type Limits = {
  /** Bytes of one MQTT packet of a client. */
  readonly packetSize: number;
  /** Milliseconds; undefined: any. */
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

/** A public key and a signature of Ed25519, in base64. */
export type Signature = { readonly key: string; readonly value: string };

/** A file by the SHA-256 of its bytes, in hexadecimal digits. */
export type Artifact = {
  readonly sha256: string;
  /** A path from the manifest's folder on, or an https address; undefined: it comes in the same pack. */
  readonly from?: string | undefined;
};

/** An archive with a program. */
export type BundleEntry = Artifact & {
  /** Bytes of the files in it, and their number, at most. */
  readonly size: number;
  readonly files: number;
};

/** A sealed value, and the variable that is to have it, or the path of a file that does. */
export type SecretEntry = {
  readonly name: string;
  readonly sealed: string;
  readonly as: 'variable' | 'file';
};

/** Topic filters, in which `%c` and `%u` stand for the client identifier and the user name. */
export type TopicLists = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

export type UserEntry = TopicLists & {
  readonly name: string;
  /** A line that `skerry passwd` prints. */
  readonly password: string | undefined;
  /** A name in a client certificate. */
  readonly certificate: string | undefined;
};

export type ModuleEntry = TopicLists & {
  readonly name: string;
  /** With a bundle, a path starts in it. */
  readonly exec: readonly string[];
  readonly bundle?: BundleEntry | undefined;
  readonly secrets: readonly SecretEntry[];
  readonly io: 'lines' | 'mqtt';
  readonly env: Readonly<Record<string, string>>;
  /** Its desired properties, which it finds as JSON in SKERRY_DESIRED. */
  readonly desired?: JsonObject | undefined;
  readonly restart: 'never' | 'on-failure' | 'on-unhealthy' | 'always';
  readonly startupOrder: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceSeconds: number;
  readonly tty: boolean;
  /** Lines for its inputs are acknowledged when it answers `{"ack": id}`, not when they are written. */
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
  /** Undefined: the machine's. */
  readonly network?: 'none' | undefined;
  readonly user?: string | undefined;
  readonly devices: readonly string[];
  readonly require: boolean;
};

/** One of `exec`, `tcp` (a port of this machine) and `mqtt` (it says so itself) is there. */
export type HealthEntry = {
  readonly exec?: readonly string[] | undefined;
  readonly tcp?: number | undefined;
  readonly mqtt?: boolean | undefined;
  readonly everySeconds: number;
  readonly timeoutSeconds: number;
  /** Checks in a row that fail before it is unhealthy. */
  readonly threshold: number;
  readonly readySeconds: number;
};

export type RouteEntry = {
  readonly name: string;
  readonly text: string;
  /** 0 to 9, lower first. */
  readonly priority: number;
  /** Milliseconds; undefined: the store's. */
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

/** Clients connected at once by this listener; undefined: as many as the hub takes. */
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
  /** Undefined: the upstream's. */
  readonly username: string | undefined;
  readonly password: string | undefined;
};

/** Files by their paths as written. */
export type UpstreamTls = {
  /** Who may vouch for the server; undefined: whom the system trusts. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The SHA-256 of the server's certificate, in hexadecimal digits. */
  readonly fingerprint?: string | undefined;
  /** The name that the server is asked for, and its certificate must be for. */
  readonly serverName?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
};

/** From and to, in minutes of the day; one that ends before it begins goes over midnight. */
export type TimeOfDay = { readonly from: number; readonly to: number };

/** A parent hub or broker, by the name that routes know it by. */
export type UpstreamEntry = Upstream & { readonly name: string };

export type Upstream = {
  /** In the order in which they are tried. */
  readonly urls: readonly [UpstreamAddress, ...UpstreamAddress[]];
  readonly username: string | undefined;
  /** Sealed for this device. */
  readonly password: string | undefined;
  readonly profile: 'mqtt' | 'skerry';
  /** The template of topics; undefined: the profile's. */
  readonly topic: string | undefined;
  readonly exactlyOnce: boolean;
  /** Messages on their way at once. */
  readonly window: number;
  /** Milliseconds. */
  readonly keepAlive: number;
  readonly priorities: 'weighted' | 'strict';
  /** Undefined: `skerry-` and the device's name, and that of an upstream with another name than `upstream`. */
  readonly clientId: string | undefined;
  readonly tls: UpstreamTls | undefined;
  /** Topic filters of what is brought in. */
  readonly down: readonly string[];
  /** Bytes a day. */
  readonly budget: number | undefined;
  /** Milliseconds from the end of one batch to the next. */
  readonly interval: number | undefined;
  /** When it is connected, by the local time; empty: always. */
  readonly schedule: readonly TimeOfDay[];
};
