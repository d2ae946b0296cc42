export type Level = 'info' | 'warn' | 'error';

/** Where log lines go: the edge of the program decides (standard error, a test's array). */
export type LogSink = (level: Level, room: string, text: string) => void;

/** The log of one room. A text is one sentence; it never holds a secret. */
export type Log = {
  readonly info: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly error: (text: string) => void;
};

/** The log of `room`, written to `sink`. */
export function logFor(room: string, sink: LogSink): Log {
  return {
    info: text => sink('info', room, text),
    warn: text => sink('warn', room, text),
    error: text => sink('error', room, text),
  };
}
