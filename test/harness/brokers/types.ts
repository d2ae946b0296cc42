/** A broker, or a cluster of them, on loopback, with its data in a folder of its own. */
export type Broker = {
  readonly name: string;
  /** MQTT ports, one per node. */
  readonly ports: readonly number[];
  /** Processes of its nodes that run. */
  readonly pids: () => readonly number[];
  /** Starts a node, or all, on the data that it left; nothing for those that run. Resolves when it serves. */
  readonly start: (node?: number) => Promise<void>;
  /** Ends a node, or all. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL', node?: number) => Promise<void>;
  /** Support for QoS 2. `running`: not to its subscribers across its own restart. */
  readonly exact: 'no' | 'running' | 'always';
  /** Content of a session's queue by the broker's own interface, not by MQTT. Undefined if it has none. */
  readonly account: ((clientId: string) => Promise<Account>) | undefined;
  /** Ends it and removes its data. */
  readonly close: () => Promise<void>;
};

export type Account = {
  /** Messages that wait for the session. */
  readonly waiting: number;
  /** Bodies of all stored messages in order of arrival. Undefined if the broker does not report them. */
  readonly bodies: readonly string[] | undefined;
};

export type Kind = 'mosquitto' | 'rabbitmq' | 'nats' | 'skerry';
