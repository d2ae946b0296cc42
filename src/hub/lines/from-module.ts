import { isUtf8 } from 'node:buffer';
import { stringProblem } from '../../core/characters.ts';
import { Failure } from '../../core/errors.ts';
import type { Message, Properties } from '../../core/message.ts';
import { NO_PROPERTIES, PLAIN } from '../../core/message.ts';
import { outputTopic } from '../names.ts';
import { QUOTE, visitMembers } from './json-scanner.ts';
import { unquote } from './json-strings.ts';

/** Output of a line that names none. */
const DEFAULT_OUTPUT = 'out';

/** Only a line that holds this may name an output: all others are not scanned. */
const OUTPUT_KEY = Buffer.from('"output"');
const ACK_KEY = Buffer.from('"ack"');

/** Bytes of an acknowledgement, blanks included. */
const MAX_ACK_LINE = 64;

/** UTF-16 units of a property's name that an error shows. */
const MAX_SHOWN_NAME = 64;

const OPENING_BRACE = 0x7b;

/** An output is one level of a topic. */
const OUTPUT = /^[^/+#]{1,128}$/;

/** First character of an object, a list and null. */
const OTHER_VALUE = /[{[n]/;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64_UNIT = 4;

/** Values, as they stand in a line, of the members that it may have. */
type Members = {
  output?: Buffer;
  body?: Buffer;
  encoding?: Buffer;
  properties?: Buffer;
  contentType?: Buffer;
};

/**
 * Message of one line of a module's standard output. `{"output":"temp","body":...,"properties":{...},"contentType":"..."}`
 * goes to the output that it names: its body is the bytes of `body` as they stand there, of a string its text, with
 * `"encoding":"base64"` what that text stands for. Any other line is the body of a message on output `out`.
 * @throws Failure `line.refused` if no MQTT packet can hold a part of it
 */
export function messageOfLine(module: string, line: Buffer): Message {
  const members = line[0] === OPENING_BRACE && line.includes(OUTPUT_KEY) ? membersOf(line) : {};
  const { body, properties, contentType } = members;
  if (body === undefined || !isString(members.output)) return messageOn(module, DEFAULT_OUTPUT, line);
  return {
    ...messageOn(module, outputOf(members.output), bodyOf(body, members.encoding)),
    properties: properties === undefined ? NO_PROPERTIES : propertiesOf(properties),
    contentType: isString(contentType) ? textOf('"contentType"', contentType) : undefined,
  };
}

function messageOn(module: string, output: string, body: Buffer): Message {
  const origin = { kind: 'module', module, output } as const;
  return { topic: outputTopic(module, output), body, ...PLAIN, qos: 1, origin };
}

/** None if the line is no JSON object; of two members of one name the last counts. */
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

function isString(token: Buffer | undefined): token is Buffer {
  return token?.[0] === QUOTE;
}

function outputOf(token: Buffer): string {
  const output = textOf('"output"', token);
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

/** Strings are their text, numbers and booleans stand as they are; values that are none of these are left out. */
function propertiesOf(object: Buffer): Properties {
  const properties: string[] = [];
  visitMembers(object, (nameSpan, valueSpan) => {
    const value = object.subarray(valueSpan.start, valueSpan.end);
    if (OTHER_VALUE.test(value.toString('latin1', 0, 1))) return;
    const name = textOf('a name in "properties"', object.subarray(nameSpan.start, nameSpan.end));
    const field = `"properties.${name.slice(0, MAX_SHOWN_NAME)}"`;
    const text = value[0] === QUOTE ? textOf(field, value) : checked(field, value.toString('latin1'));
    properties.push(name, text);
  });
  return properties;
}

/** Text of the JSON string `token`, which `field` has or is named by. */
function textOf(field: string, token: Buffer): string {
  const bytes = unquote(token);
  if (!isUtf8(bytes)) throw refusal(`${field} is not UTF-8: print it in UTF-8.`);
  return checked(field, bytes.toString());
}

function checked(field: string, text: string): string {
  const problem = stringProblem(text);
  if (problem === undefined) return text;
  throw refusal(`${field} ${problem}: print a text that MQTT can carry.`);
}

function refusal(sentence: string): Failure {
  return new Failure('line.refused', sentence);
}

/** Number in a line `{"ack":1}` of a module that is done with a message; undefined for any other line. */
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
