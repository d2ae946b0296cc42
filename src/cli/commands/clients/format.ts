import type { Publish, PublishProperties } from '../../../mqtt/read-publish.ts';
import { usageFailure } from '../../arguments.ts';
import { SUB } from '../../reference/clients.ts';

/** Function that formats a message. `time` is the arrival time of the message. */
export type Format = (message: Publish, time: Date) => Buffer;

type Field = (message: Publish, time: Date) => string | Buffer | number | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  0: '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const MAX_WIDTH = 10_000;

const padded = (value: number, digits = 2): string => String(value).padStart(digits, '0');

/** Returns the offset of the local time from UTC in the form "+0100". */
function offsetOf(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${padded(Math.trunc(size / 60))}${padded(size % 60)}`;
}

const dateOf = (time: Date): string =>
  `${time.getFullYear()}-${padded(time.getMonth() + 1)}-${padded(time.getDate())}`;
const timeOf = (time: Date): string =>
  `${padded(time.getHours())}:${padded(time.getMinutes())}:${padded(time.getSeconds())}`;

/** Values of the fields that begin with "@": local time, with the letters of strftime. */
const TIME_FIELDS: Readonly<Record<string, (time: Date) => string>> = {
  '@': () => '@',
  Y: time => String(time.getFullYear()),
  m: time => padded(time.getMonth() + 1),
  d: time => padded(time.getDate()),
  H: time => padded(time.getHours()),
  M: time => padded(time.getMinutes()),
  S: time => padded(time.getSeconds()),
  F: dateOf,
  T: timeOf,
  z: offsetOf,
  s: time => String(Math.floor(time.getTime() / 1000)),
};

/** Values of the fields that begin with "%": parts of the message, with the letters of mosquitto_sub. */
const FIELDS: Readonly<Record<string, Field>> = {
  A: ({ properties }) => properties?.topicAlias,
  C: ({ properties }) => properties?.contentType,
  D: ({ properties }) => properties?.correlation,
  E: ({ properties }) => properties?.messageExpiry,
  F: ({ properties }) => properties?.payloadFormat,
  I: (_, time) => `${dateOf(time)}T${timeOf(time)}${offsetOf(time)}`,
  J: (message, time) => jsonOf(message, time, parsedPayload(message)),
  P: ({ properties }) =>
    pairsOf(properties)
      .map(pair => pair.join(':'))
      .join(' '),
  R: ({ properties }) => properties?.responseTopic,
  S: ({ properties }) => properties?.subscriptionIds[0],
  U: (_, time) => `${(time.getTime() / 1000).toFixed(3)}000000`,
  X: ({ payload }) => payload.toString('hex').toUpperCase(),
  j: (message, time) => jsonOf(message, time, message.payload.toString()),
  l: ({ payload }) => payload.length,
  m: ({ messageId }) => messageId,
  p: ({ payload }) => payload,
  q: ({ qos }) => qos,
  r: ({ retain }) => Number(retain),
  t: ({ topic }) => topic,
  x: ({ payload }) => payload.toString('hex'),
};

/**
 * Matches a field: "%", the flags "-" (left-aligned) and "0" (padded with zeros), a width, a precision, and a
 * letter.
 */
const SPECIFIER = /%(?<flags>[-0]*)(?<width>\d{0,5})(?:\.(?<precision>\d{1,5}))?(?<field>.?)/su;

/** Matches the next part of a format: an escape, a time field, a message field, or literal text. */
const PIECE = new RegExp(`\\\\(?<escape>.?)|@(?<time>.?)|${SPECIFIER.source}|(?<text>[^%@\\\\]+)`, 'gsu');

/**
 * Parses the format of the option -F. Supports the fields, widths and escapes of mosquitto_sub. Also supports
 * time fields: "@" and a letter of strftime. Throws Failure `usage` for an unknown field or escape.
 */
export function parseFormat(text: string): Format {
  const pieces = Array.from(text.matchAll(PIECE), ({ groups = {} }) => pieceOf(groups));
  return (message, time) => Buffer.concat(pieces.map(piece => piece(message, time)));
}

function pieceOf(groups: Readonly<Record<string, string | undefined>>): Format {
  const { escape: escaped, time: timeName, text, field = '', flags = '', width = '', precision } = groups;
  if (text !== undefined) return fixed(text);
  if (escaped !== undefined) return fixed(lookUp(ESCAPES, escaped, '\\'));
  if (timeName !== undefined) {
    const part = lookUp(TIME_FIELDS, timeName, '@');
    return (_, time) => Buffer.from(part(time));
  }
  if (field === '%') return fixed('%');
  const read = lookUp(FIELDS, field, '%');
  if (Number(width) > MAX_WIDTH) throw usageFailure(`-F: a width is at most ${MAX_WIDTH}`, SUB);
  return (message, time) => {
    const value = read(message, time) ?? '';
    const bytes = typeof value === 'number' ? Buffer.from(String(value)) : Buffer.from(value);
    return pad(
      bytes.subarray(0, precision === undefined ? undefined : Number(precision)),
      flags,
      Number(width),
    );
  };
}

function lookUp<Value>(table: Readonly<Record<string, Value>>, name: string, prefix: string): Value {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (value !== undefined) return value;
  const known = Object.keys(table).map(one => prefix + one);
  throw usageFailure(`-F: "${prefix}${name}" is not one of ${known.join(' ')}`, SUB);
}

function fixed(text: string): Format {
  const bytes = Buffer.from(text);
  return () => bytes;
}

function pad(bytes: Buffer, flags: string, width: number): Buffer {
  const filler = Buffer.alloc(Math.max(0, width - bytes.length), flags.includes('0') ? '0' : ' ');
  return Buffer.concat(flags.includes('-') ? [bytes, filler] : [filler, bytes]);
}

function pairsOf(properties: PublishProperties | undefined): (readonly [string, string])[] {
  const flat = properties?.userProperties ?? [];
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}

/** Returns the user properties by name. The value of a name that occurs more than once is an array. */
function userPropertiesOf(properties: PublishProperties): Readonly<Record<string, unknown>> | undefined {
  const byName = Map.groupBy(pairsOf(properties), ([name]) => name);
  if (byName.size === 0) return undefined;
  const entries = Array.from(byName, ([name, pairs]): [string, unknown] => {
    const values = pairs.map(([, value]) => value);
    return [name, values.length === 1 ? values[0] : values];
  });
  return Object.fromEntries(entries);
}

function jsonOf(
  { topic, qos, retain, payload, messageId, properties }: Publish,
  time: Date,
  body: unknown,
): string {
  return JSON.stringify({
    tst: time.toISOString(),
    topic,
    qos,
    retain: Number(retain),
    payloadlen: payload.length,
    ...(qos > 0 ? { mid: messageId } : {}),
    ...(properties === undefined ? {} : { properties: namedProperties(properties) }),
    payload: body,
  });
}

/** Returns the properties of a message by their names in the MQTT standard. Absent properties are omitted. */
function namedProperties(properties: PublishProperties): object {
  return {
    'payload-format-indicator': properties.payloadFormat,
    'message-expiry-interval': properties.messageExpiry,
    'content-type': properties.contentType,
    'response-topic': properties.responseTopic,
    'correlation-data': properties.correlation?.toString(),
    'subscription-identifier': properties.subscriptionIds[0],
    'user-properties': userPropertiesOf(properties),
  };
}

/** Returns the value of a JSON payload, or the text of any other payload. */
function parsedPayload({ payload }: Publish): unknown {
  const text = payload.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
