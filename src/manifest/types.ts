/** What should run, checked, with all defaults and in plain units. */
export type Manifest = {
  /** The device's name. */
  readonly name: string;
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
  readonly listeners: readonly Address[];
  readonly upstream: Upstream | undefined;
};

export type ModuleEntry = {
  readonly name: string;
  readonly exec: readonly string[];
  readonly io: 'lines' | 'mqtt';
  readonly env: Readonly<Record<string, string>>;
  readonly restart: 'never' | 'on-failure' | 'always';
  readonly startupOrder: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceSeconds: number;
  readonly tty: boolean;
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

export type Upstream = Address & {
  readonly username: string | undefined;
  readonly password: string | undefined;
};
