/** Quality of service of MQTT 3.1.1, 4.3. */
export type QoS = 0 | 1 | 2;

/** Who a message comes from: a module of this device, or any other MQTT client. */
export type Origin =
  | { readonly kind: 'module'; readonly module: string; readonly output: string }
  | { readonly kind: 'client'; readonly client: string };

/** Application properties: MQTT 5 user properties, or `properties` of a line. A name stands once, the last wins. */
export type Properties = Readonly<Record<string, string>>;

/** What every room passes on. A message is never changed after it was made. */
export type Message = {
  /** The MQTT topic it was published on. */
  readonly topic: string;
  readonly body: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly origin: Origin;
  readonly properties: Properties;
  readonly contentType: string | undefined;
  /** Milliseconds its sender lets it live from its arrival; undefined: as long as the store allows. */
  readonly ttl: number | undefined;
};

/** The one shared empty set of properties: most messages have none. */
export const NO_PROPERTIES: Properties = Object.freeze({});

/**
 * Tells a sender what became of its message: no argument, every durable destination has it; an error, it
 * was not kept and must not be acknowledged. Called exactly once.
 */
export type Settle = (error?: Error) => void;
