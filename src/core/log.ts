export type Level = 'info' | 'warn' | 'error';

/** The peer that a line is about. A field that is undefined is not written. */
export type LogFields = {
  readonly client?: string | undefined;
  readonly user?: string | undefined;
  readonly module?: string | undefined;
  readonly address?: string | undefined;
};

/** Destination of log lines; the edge of the program decides (standard error, a test's array). */
export type LogSink = (level: Level, room: string, sentence: string, fields: LogFields) => void;

type Write = (sentence: string, fields?: LogFields) => void;

/**
 * The log of one room. A sentence never contains a secret; it may contain what a peer sent, the sink escapes
 * it.
 */
export type Log = { readonly info: Write; readonly warn: Write; readonly error: Write };

/** The log of `room`, written to `sink`. */
export function logFor(room: string, sink: LogSink): Log {
  const write =
    (level: Level): Write =>
    (sentence, fields = {}) =>
      sink(level, room, sentence, fields);
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
