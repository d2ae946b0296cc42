/** Quality of service of MQTT 3.1.1, 4.3. */
export type QoS = 0 | 1 | 2;

/**
 * Name of the upstream if a manifest has only one upstream. In a manifest with several upstreams, `$upstream`
 * means the upstream with this name.
 */
export const DEFAULT_UPSTREAM = 'upstream';

/** Origin of a message: a module of this device, another MQTT client, or an upstream with its name. */
export type Origin =
  | { readonly kind: 'module'; readonly module: string; readonly output: string }
  | { readonly kind: 'client'; readonly client: string }
  | { readonly kind: 'upstream'; readonly upstream: string };

/**
 * Application properties: MQTT 5 user properties, or the field `properties` of a line that a module writes.
 * The list alternates names and values. A name can occur several times.
 */
export type Properties = readonly string[];

/** Message as all parts of the hub process it. Immutable. */
export type Message = {
  /** MQTT topic that the message was published to. */
  readonly topic: string;
  readonly body: Buffer;
  readonly qos: QoS;
  /** True if the sender requests that the message is retained for later subscribers. */
  readonly retain: boolean;
  /** True if the message is sent to a new subscriber because it was retained (MQTT 5, 3.3.1.3). */
  readonly retained: boolean;
  readonly origin: Origin;
  readonly properties: Properties;
  readonly contentType: string | undefined;
  /** Payload format indicator. 1 means that the body is UTF-8 text (MQTT 5, 3.3.2.3.2). */
  readonly payloadFormat: 0 | 1 | undefined;
  readonly responseTopic: string | undefined;
  readonly correlation: Buffer | undefined;
  /** Lifetime in milliseconds from the arrival. Undefined if the sender sets no limit. */
  readonly ttl: number | undefined;
};

/** Empty list of properties. All messages without properties share this list. */
export const NO_PROPERTIES: Properties = Object.freeze([]);

/** Default values of the optional fields of a message. */
export const PLAIN = {
  retain: false,
  retained: false,
  properties: NO_PROPERTIES,
  contentType: undefined,
  payloadFormat: undefined,
  responseTopic: undefined,
  correlation: undefined,
  ttl: undefined,
} as const satisfies Partial<Message>;

/**
 * Callback with the result of a message for its sender. Called once: without an argument when every
 * destination has stored the message durably, or with an error if the message was not stored and must not be
 * acknowledged.
 */
export type OnDurable = (error?: Error) => void;
