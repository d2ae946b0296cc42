import { isUtf8 } from 'node:buffer';
import { Failure } from '../../../core/errors.ts';
import { MAX_USER_PROPERTIES } from '../../../core/limits.ts';
import type { Message, Properties } from '../../../core/message.ts';
import { NO_PROPERTIES, PLAIN } from '../../../core/message.ts';
import { MAX_STRING_BYTES, stringProblem } from '../../../core/text/characters.ts';
import { outputTopic } from '../../queue-names.ts';
import type { Span } from './json-scanner.ts';
import { BACKSLASH, QUOTE, visitMembers } from './json-scanner.ts';
import { unquote } from './json-strings.ts';

/** Output of the module for lines that have no member `output`. */
const DEFAULT_OUTPUT = 'out';

/** Member name that a line must contain to be parsed as JSON. Any other line is a message body. */
const OUTPUT_KEY = Buffer.from('"output"');
/** Member name that every acknowledgement line contains. */
const ACK_KEY = Buffer.from('"ack"');

/** Maximum bytes of an acknowledgement line, including whitespace. A longer line is a message. */
const MAX_ACK_LINE = 64;

/** Maximum length of a property name in an error message, in UTF-16 code units. */
const MAX_SHOWN_NAME = 64;

const OPENING_BRACE = 0x7b;

/** Valid output name: one topic level. */
const OUTPUT = /^[^/+#]{1,128}$/;

/** First bytes of the JSON values that are not valid as property values: object, array and null. */
const OTHER_VALUES: ReadonlySet<number> = new Set(Buffer.from('{[n'));

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64_UNIT = 4;

/** Values of the known members of a line, as undecoded bytes. */
type Members = {
  output?: Buffer;
  body?: Buffer;
  encoding?: Buffer;
  properties?: Buffer;
  contentType?: Buffer;
};

/**
 * Converts a line of a module's standard output to a message. The line
 * `{"output":"temp","body":...,"properties":{...},"contentType":"..."}` is a message on the output `temp`. If
 * `body` is a string, the message body is its text, or its decoded bytes if `encoding` is `base64`. Otherwise
 * the message body is the JSON text of `body`. Any other line is the body of a message on the output `out`.
 * Throws Failure `line.refused` if a member is invalid or does not fit into an MQTT packet.
 */
export function messageOfLine(module: string, line: Buffer): Message {
  const members = line[0] === OPENING_BRACE && line.includes(OUTPUT_KEY) ? membersOf(line) : {};
  const { body, properties, contentType } = members;
  if (body === undefined || !isString(members.output)) return messageOn(module, DEFAULT_OUTPUT, line);
  return {
    ...messageOn(module, outputOf(members.output), bodyOf(body, members.encoding)),
    properties: properties === undefined ? NO_PROPERTIES : propertiesOf(properties),
    contentType: isString(contentType)
      ? textOf('"contentType"', contentType, wholeOf(contentType))
      : undefined,
  };
}

function messageOn(module: string, output: string, body: Buffer): Message {
  const origin = { kind: 'module', module, output } as const;
  return { topic: outputTopic(module, output), body, ...PLAIN, qos: 1, origin };
}

/**
 * Returns the known members of a line. Empty if the line is not a JSON object. If a member occurs more than
 * once, the last one is returned.
 */
function membersOf(line: Buffer): Members {
  const members: Members = {};
  const isObject = visitMembers(line, (name, value) => {
    switch (line.toString('latin1', name.start + 1, name.end - 1)) {
      case 'output':
        members.output = line.subarray(value.start, value.end);
        break;
      case 'body':
        members.body = line.subarray(value.start, value.end);
        break;
      case 'encoding':
        members.encoding = line.subarray(value.start, value.end);
        break;
      case 'properties':
        members.properties = line.subarray(value.start, value.end);
        break;
      case 'contentType':
        members.contentType = line.subarray(value.start, value.end);
        break;
    }
  });
  return isObject ? members : {};
}

function wholeOf(token: Buffer): Span {
  return { start: 0, end: token.length };
}

function isString(token: Buffer | undefined): token is Buffer {
  return token?.[0] === QUOTE;
}

function outputOf(token: Buffer): string {
  const output = textOf('"output"', token, wholeOf(token));
  if (OUTPUT.test(output)) return output;
  throw refusal('"output" must be one level of a topic: 1 to 128 characters without "/", "+" and "#".');
}

function bodyOf(token: Buffer, encoding: Buffer | undefined): Buffer {
  const isBase64 = encoding?.toString('latin1') === '"base64"';
  if (!isString(token)) {
    if (!isBase64) return token;
    throw refusal('"body" must be a string in base64, as "encoding" says.');
  }
  const text = unquote(token);
  if (!isBase64) return text;
  const letters = text.toString('latin1');
  if (letters.length % BASE64_UNIT === 0 && BASE64.test(letters)) return Buffer.from(letters, 'base64');
  throw refusal('"body" must be a string in base64, as "encoding" says.');
}

/** Returns the user properties: strings, numbers and booleans as text. Omits members with other values. */
function propertiesOf(object: Buffer): Properties {
  const properties: string[] = [];
  visitMembers(object, (nameSpan, valueSpan) => {
    const first = object[valueSpan.start];
    if (first !== undefined && OTHER_VALUES.has(first)) return;
    if (properties.length >= 2 * MAX_USER_PROPERTIES)
      throw refusal(`"properties" may have ${MAX_USER_PROPERTIES} members.`);
    const name = textOf('a name in "properties"', object, nameSpan);
    properties.push(name, textOf('properties', object, valueSpan, name));
  });
  return properties;
}

/**
 * Decodes the string, number or boolean in the given span. Error messages contain `field`. For a member of
 * the object `field`, error messages also contain `name`, the name of the member.
 */
function textOf(field: string, bytes: Buffer, { start, end }: Span, name?: string): string {
  const isQuoted = bytes[start] === QUOTE;
  const [from, to] = isQuoted ? [start + 1, end - 1] : [start, end];
  // Most texts are short ASCII. `isPlain` recognizes them faster than a decoder.
  if (to - from <= MAX_STRING_BYTES && isPlain(bytes, from, to)) return bytes.toString('latin1', from, to);
  const content = isQuoted ? unquote(bytes.subarray(start, end)) : bytes.subarray(start, end);
  const problem = isUtf8(content) ? stringProblem(content.toString()) : 'is not UTF-8';
  if (problem === undefined) return content.toString();
  const place = name === undefined ? field : `"${field}.${name.slice(0, MAX_SHOWN_NAME)}"`;
  throw refusal(`${place} ${problem}: print a text that MQTT can carry.`);
}

/** True if the bytes are printable ASCII without escapes. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return false;
  }
  return true;
}

function refusal(sentence: string): Failure {
  return new Failure('line.refused', sentence);
}

/** Returns the number in an acknowledgement line such as `{"ack":1}`. Undefined for any other line. */
export function ackOfLine(line: Buffer): number | undefined {
  if (line.length > MAX_ACK_LINE || line[0] !== OPENING_BRACE || !line.includes(ACK_KEY)) return undefined;
  const values: string[] = [];
  const isObject = visitMembers(line, (name, value) => {
    values.push(
      line.toString('latin1', name.start, name.end),
      line.toString('latin1', value.start, value.end),
    );
  });
  const [name, value = '', ...more] = values;
  const id = name === '"ack"' ? Number(value) : Number.NaN;
  return isObject && more.length === 0 && !Number.isNaN(id) ? id : undefined;
}
