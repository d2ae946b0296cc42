/** Broker or cluster of brokers on loopback, with its data in a folder of its own. */
export type Broker = {
  readonly name: string;
  /** MQTT ports, one per node. */
  readonly ports: readonly number[];
  /** Process identifiers of the running nodes. */
  readonly pids: () => readonly number[];
  /** Starts one or all nodes on their existing data. Resolves when the nodes accept clients. */
  readonly start: (node?: number) => Promise<void>;
  /** Stops one or all nodes. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL', node?: number) => Promise<void>;
  /** Support for QoS 2. `running`: QoS 2 of subscribers does not survive a restart of the broker. */
  readonly exact: 'no' | 'running' | 'always';
  /** Reads the queue of a session by an interface other than MQTT. Undefined if the broker has none. */
  readonly account: ((clientId: string) => Promise<Account>) | undefined;
  /** Stops the broker and removes its data. */
  readonly close: () => Promise<void>;
};

export type Account = {
  /** Messages that wait for the session. */
  readonly waiting: number;
  /** Bodies of all stored messages in order of arrival. Undefined if the broker does not report them. */
  readonly bodies: readonly string[] | undefined;
};

export type Kind = 'mosquitto' | 'rabbitmq' | 'nats' | 'skerry';
