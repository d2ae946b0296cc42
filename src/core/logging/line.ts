import type { Level, LogFields } from '../log.ts';
import { escapeHidden } from '../text/escape.ts';
import { MAX_LOG_QUOTE, MAX_LOG_SENTENCE, MAX_LOG_VALUE } from './limits.ts';

/** Matches values that are written without quotes. */
const PLAIN = /^[\w.:/@%+-]+$/;

const LONG_QUOTE = new RegExp(`"([^"]{${MAX_LOG_QUOTE}})[^"]+"`, 'g');

/**
 * Formats a log line: level, room, sentence, and `key=value` for each field. The line has a bounded length
 * and no control characters.
 */
export function logLine(level: Level, room: string, sentence: string, fields: LogFields): string {
  const pairs = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${textOf(value)}`],
  );
  return [
    level.padEnd(5),
    `${room}: ${cut(escapeHidden(shortened(sentence)), MAX_LOG_SENTENCE)}`,
    ...pairs,
  ].join(' ');
}

/**
 * Formats a log line as a JSON object with the bounds of `logLine`. Its members are `time` (ISO 8601),
 * `level`, `area`, `message`, and each field.
 */
export function logObject(
  time: string,
  level: Level,
  area: string,
  sentence: string,
  fields: LogFields,
): string {
  const values = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, cut(value, MAX_LOG_VALUE)]],
  );
  const message = cut(shortened(sentence), MAX_LOG_SENTENCE);
  return escapeHidden(JSON.stringify({ time, level, area, message, ...Object.fromEntries(values) }));
}

/**
 * Truncates long quotations inside a sentence, so that the reason at the end of the sentence is not
 * truncated.
 */
function shortened(sentence: string): string {
  return sentence.length <= MAX_LOG_QUOTE ? sentence : sentence.replace(LONG_QUOTE, '"$1..."');
}

function textOf(value: string): string {
  const short = cut(value, MAX_LOG_VALUE);
  return PLAIN.test(short) ? short : escapeHidden(JSON.stringify(short));
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}...`;
}
