/** Quality of service of MQTT 3.1.1, 4.3. */
export type QoS = 0 | 1 | 2;

/**
 * Name of the upstream that a manifest gives as `upstream`, and of the one that `$upstream` means if there
 * are several.
 */
export const DEFAULT_UPSTREAM = 'upstream';

/** Origin of a message: a module of this device, any other MQTT client, or an upstream by its name. */
export type Origin =
  | { readonly kind: 'module'; readonly module: string; readonly output: string }
  | { readonly kind: 'client'; readonly client: string }
  | { readonly kind: 'upstream'; readonly upstream: string };

/**
 * Application properties: MQTT 5 user properties, or `properties` of a line: name, text, name, text, in
 * order. A name may repeat.
 */
export type Properties = readonly string[];

/** Message as all rooms pass it on. Immutable. */
export type Message = {
  /** The MQTT topic it was published on. */
  readonly topic: string;
  readonly body: Buffer;
  readonly qos: QoS;
  /** Set if the sender asks to retain it for later subscribers. */
  readonly retain: boolean;
  /** True if it was kept so: it goes to one who has just subscribed (MQTT 5, 3.3.1.3). */
  readonly retained: boolean;
  readonly origin: Origin;
  readonly properties: Properties;
  readonly contentType: string | undefined;
  /** 1: the body is UTF-8 text (MQTT 5, 3.3.2.3.2). */
  readonly payloadFormat: 0 | 1 | undefined;
  readonly responseTopic: string | undefined;
  readonly correlation: Buffer | undefined;
  /** Milliseconds until it expires, from its arrival. Undefined if the sender sets no limit. */
  readonly ttl: number | undefined;
};

/** Shared empty list of properties, because most messages have none. */
export const NO_PROPERTIES: Properties = Object.freeze([]);

/** Defaults of the optional fields. */
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
 * Tells a sender what became of its message: no argument, every durable destination has it; an error, it
 * was not kept and must not be acknowledged. Called exactly once.
 */
export type OnDurable = (error?: Error) => void;
