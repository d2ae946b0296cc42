import type { LogReader } from '../../../supervisor/logs/log-reader.ts';

/** Parsed line of a module's log. */
export type LogEntry = {
  readonly module: string;
  /** Wall time in ISO 8601 and UTC. A line without a time has the time of the previous line. */
  readonly time: string;
  /** Bytes of the line in the file: time, stream and output. */
  readonly line: Buffer;
};

/** Characters of a time such as `2026-11-24T01:02:03.456Z`. */
const TIME_LENGTH = 24;

/** Maximum bytes of all lines that `lastOf` holds in memory. */
const MAX_HELD_BYTES = 16 << 20;

const NEWLINE = Buffer.from('\n');
const WELL_FORMED = /^(\S{23}Z) (\S+) (.*)$/s;

/**
 * Merges the available lines of all readers by time, earliest first. The order of lines of one module does
 * not change, even if the clock was set back.
 */
export function* entriesByTime(readers: ReadonlyMap<string, LogReader>): Generator<LogEntry> {
  const heads = new Map<string, LogEntry>();
  const pull = (module: string, reader: LogReader, before = ''): void => {
    const line = reader.next();
    if (line === undefined) heads.delete(module);
    else heads.set(module, { module, time: timeOf(line) ?? before, line });
  };
  for (const [module, reader] of readers) pull(module, reader);
  for (;;) {
    let first: LogEntry | undefined;
    for (const head of heads.values()) if (first === undefined || head.time < first.time) first = head;
    if (first === undefined) return;
    yield first;
    const reader = readers.get(first.module);
    if (reader !== undefined) pull(first.module, reader, first.time);
  }
}

/**
 * Yields the last `most` entries, or fewer if `most` entries do not fit into MAX_HELD_BYTES. If `most` is
 * infinite, yields each entry immediately.
 */
export function* lastOf(entries: Iterable<LogEntry>, most: number): Generator<LogEntry> {
  if (most === Number.POSITIVE_INFINITY) return yield* entries;
  const last: LogEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    // Copies the line. The original is a view that would keep the whole read buffer in memory.
    last.push({ ...entry, line: Buffer.from(entry.line) });
    bytes += entry.line.length;
    while (last.length > most || bytes > MAX_HELD_BYTES) bytes -= last.shift()?.line.length ?? 0;
  }
  yield* last;
}

export function* filtered(
  entries: Iterable<LogEntry>,
  passes: (entry: LogEntry) => boolean,
): Generator<LogEntry> {
  for (const entry of entries) if (passes(entry)) yield entry;
}

export function asText({ module, line }: LogEntry, named: boolean): Buffer {
  return Buffer.concat(named ? [Buffer.from(`${module} | `), line, NEWLINE] : [line, NEWLINE]);
}

export function asJson({ module, time, line }: LogEntry): Buffer {
  const [, , stream = null, text = line.toString()] = WELL_FORMED.exec(line.toString()) ?? [];
  return Buffer.from(`${JSON.stringify({ module, time, stream, text })}\n`);
}

/** Parses the time of a line. Undefined if the line does not begin with a time. */
function timeOf(line: Buffer): string | undefined {
  const time = line.toString('latin1', 0, TIME_LENGTH);
  return /^\d{4}-\d\d-\d\dT.{12}Z$/.test(time) ? time : undefined;
}
