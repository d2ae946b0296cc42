export type Level = 'info' | 'warn' | 'error';

/** Peer that a log line is about. Undefined fields are not written. */
export type LogFields = {
  readonly client?: string | undefined;
  readonly user?: string | undefined;
  readonly module?: string | undefined;
  readonly address?: string | undefined;
};

/** Destination of log lines, such as standard error, or an array in a test. */
export type LogSink = (level: Level, room: string, sentence: string, fields: LogFields) => void;

type Write = (sentence: string, fields?: LogFields) => void;

/**
 * Log of one room (a part of the hub, such as `queue`). A sentence must not contain a secret. A sentence can
 * contain text from a peer, which the sink escapes.
 */
export type Log = { readonly info: Write; readonly warn: Write; readonly error: Write };

/** Creates the log of `room`, which writes to `sink`. */
export function logFor(room: string, sink: LogSink): Log {
  const write =
    (level: Level): Write =>
    (sentence, fields = {}) =>
      sink(level, room, sentence, fields);
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
