/** What a condition may ask of one message. */
export type Subject = {
  /** `/messages/modules/M/outputs/O`, `/messages/modules/M` without an output, `/messages` for a plain client. */
  readonly source: string;
  /** The MQTT topic it was published on. */
  readonly topic: string;
  /**
   * Application properties: name, text, name, text; of one name the last counts. A text is null where another
   * protocol than MQTT gave a name without a value.
   */
  readonly properties: readonly (string | null)[];
  /** The system property `name`, without its `$`; undefined if the message has none. */
  system(name: string): string | null | undefined;
  /** The body as JSON values, parsed at most once by the maker; undefined when it is not what it says. */
  body(): unknown;
};

/** What a condition said of one message. A route takes a message on `true` alone. */
export type Verdict = 'true' | 'false' | 'undefined' | 'error';
