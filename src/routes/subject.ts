/** What a condition may ask of one message. The hub makes one for each message it routes. */
export type Subject = {
  /** `/messages/modules/M/outputs/O`, `/messages/modules/M` without an output, `/messages` for a plain client. */
  readonly source: string;
  /** The MQTT topic it was published on. */
  readonly topic: string;
  /** The application property `name`, case-sensitive; undefined if the message has none. */
  property(name: string): string | undefined;
  /** The system property `name`, without its `$`; undefined if the message has none. */
  system(name: string): string | undefined;
  /** The body as JSON values, parsed at most once by the maker; undefined when it is not what it says. */
  body(): unknown;
};

/** What a condition said of one message. A route takes a message on `true` alone. */
export type Verdict = 'true' | 'false' | 'undefined' | 'error';
