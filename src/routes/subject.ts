/** Fields of a message that routes read. */
export type Subject = {
  /**
   * Source of the message: `/messages/modules/M/outputs/O` for an output of a module, `/messages/modules/M`
   * for a module without an output, `/messages` for a client, `$upstream` or `$upstream/<name>` for an
   * upstream.
   */
  readonly source: string;
  /** MQTT topic of the message. */
  readonly topic: string;
  /**
   * Application properties as a flat list of names and values. If a name is repeated, its last value counts.
   * A value is null if the property has a name and no value. Only protocols other than MQTT permit such a
   * property.
   */
  readonly properties: readonly (string | null)[];
  /**
   * Returns the system property `name` (without `$`). Returns undefined if the message does not have this
   * property.
   */
  system(name: string): string | null | undefined;
  /**
   * Returns the body as a JSON value, parsed at most once. Returns undefined if the body is not valid JSON in
   * the declared encoding.
   */
  body(): unknown;
};

/** Result of a condition for one message. The route matches only if the result is `true`. */
export type ConditionResult = 'true' | 'false' | 'undefined' | 'error';
