/** Message as conditions and sources of routes see it. */
export type Subject = {
  /**
   * `/messages/modules/M/outputs/O` for an output of a module, `/messages/modules/M` for a module without an
   * output, `/messages` for a client.
   */
  readonly source: string;
  /** MQTT topic of the message. */
  readonly topic: string;
  /**
   * Application properties as a flat list of names and values. If a name is repeated, its last value counts.
   * A value is null if the message has the name without a value, which only protocols other than MQTT permit.
   */
  readonly properties: readonly (string | null)[];
  /** Returns the system property `name`, given without `$`. Undefined if the message does not have it. */
  system(name: string): string | null | undefined;
  /**
   * Returns the body as a JSON value, parsed at most once. Undefined if it is not valid JSON in the declared
   * encoding.
   */
  body(): unknown;
};

/** Result of a condition for one message. The route matches only if it is `true`. */
export type ConditionResult = 'true' | 'false' | 'undefined' | 'error';
