/** A broker, or a cluster of them, on loopback, with its data in a folder of its own. */
export type Broker = {
  readonly name: string;
  /** Where MQTT is spoken: one port a node. */
  readonly ports: readonly number[];
  /** Processes of its nodes that run. */
  readonly pids: () => readonly number[];
  /** Starts a node, or all, on the data that it left; nothing for those that run. Resolves when it serves. */
  readonly start: (node?: number) => Promise<void>;
  /** Ends a node, or all. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL', node?: number) => Promise<void>;
  /** Whether it does QoS 2: `running`: not to its subscribers over its own restart. */
  readonly exact: 'no' | 'running' | 'always';
  /**
   * What it has of a session's queue by its own account, not by MQTT: a number, or all messages in their order.
   * Undefined: it has no such account.
   */
  readonly account: ((clientId: string) => Promise<Account>) | undefined;
  /** Ends it and removes its data. */
  readonly close: () => Promise<void>;
};

export type Account = {
  /** Messages that wait for the session. */
  readonly waiting: number;
  /** The bodies of all messages that it keeps, in the order in which it took them; undefined: it does not tell. */
  readonly bodies: readonly string[] | undefined;
};

export type Kind = 'mosquitto' | 'rabbitmq' | 'nats' | 'skerry';
