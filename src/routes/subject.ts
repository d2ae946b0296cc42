/** Properties of a message that a condition can read. */
export type Subject = {
  /**
   * `/messages/modules/M/outputs/O`, `/messages/modules/M` without an output, `/messages` for a plain client.
   */
  readonly source: string;
  /** MQTT topic of the message. */
  readonly topic: string;
  /**
   * Application properties as a flat list of names and values; the last of duplicates counts. A value is null
   * if another protocol than MQTT set a name without a value.
   */
  readonly properties: readonly (string | null)[];
  /** System property `name` without `$`. Undefined if the message has none. */
  system(name: string): string | null | undefined;
  /**
   * Body as a JSON value, parsed at most once. Undefined if it is not valid JSON of the declared encoding.
   */
  body(): unknown;
};

/** Result of a condition for one message. A route matches only on `true`. */
export type ConditionResult = 'true' | 'false' | 'undefined' | 'error';
