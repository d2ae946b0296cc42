import type { Message, Properties } from '../core/message.ts';
import { NO_PROPERTIES, PLAIN } from '../core/message.ts';
import { outputTopic } from './names.ts';

/** The output of a line that names none. */
const DEFAULT_OUTPUT = 'out';

/** What only a line that names an output holds: all others are spared the parsing. */
const OUTPUT_KEY = Buffer.from('"output"');
const ACK_KEY = Buffer.from('"ack"');

/** Bytes that an acknowledgement may have, blanks included. */
const MAX_ACK_LINE = 64;

/** UTF-16 units of a content type that a line may name. */
const MAX_CONTENT_TYPE = 256;

const OPENING_BRACE = 0x7b;
const NEWLINE = 0x0a;

/**
 * The message of one line of a module's standard output: `{"output":"temp","body":...,"properties":{...},"contentType":"..."}`
 * goes to the output it names, any other line is the body of a message on output `out`.
 */
export function messageOfLine(module: string, line: Buffer): Message {
  const named = line[0] === OPENING_BRACE && line.includes(OUTPUT_KEY) ? namedOutput(line) : undefined;
  const output = named?.output ?? DEFAULT_OUTPUT;
  return {
    topic: outputTopic(module, output),
    body: named?.body ?? line,
    ...PLAIN,
    qos: 1,
    origin: { kind: 'module', module, output },
    properties: named?.properties ?? NO_PROPERTIES,
    contentType: named?.contentType,
  };
}

type Named = {
  readonly output: string;
  readonly body: Buffer;
  readonly properties: Properties;
  readonly contentType: string | undefined;
};

function namedOutput(line: Buffer): Named | undefined {
  const value = parsed(line);
  if (typeof value !== 'object' || value === null || !('output' in value && 'body' in value))
    return undefined;
  const { output, body } = value;
  if (typeof output !== 'string' || !isOutput(output)) return undefined;
  const properties = 'properties' in value ? propertiesOf(value.properties) : NO_PROPERTIES;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { output, body: Buffer.from(text), properties, contentType: contentTypeOf(value) };
}

/** Undefined for what only looks like JSON: the line is then a message as it stands. */
function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    return undefined;
  }
}

function contentTypeOf(value: object): string | undefined {
  const type = 'contentType' in value ? value.contentType : undefined;
  return typeof type === 'string' && type.length <= MAX_CONTENT_TYPE ? type : undefined;
}

/** An output is one level of a topic. */
function isOutput(output: string): boolean {
  return /^[^/+#\0]{1,128}$/.test(output);
}

function propertiesOf(value: unknown): Properties {
  if (typeof value !== 'object' || value === null) return NO_PROPERTIES;
  return Object.entries(value).flatMap(([name, property]) =>
    ['string', 'number', 'boolean'].includes(typeof property) ? [name, String(property)] : [],
  );
}

/** The line that a module reads for a message: its body, in one line whatever it holds. */
export function lineOfMessage({ body }: Message): Buffer {
  if (!body.includes(NEWLINE)) return body;
  const value = parsed(body);
  return Buffer.from(JSON.stringify(value === undefined ? body.toString() : value));
}

/**
 * The line that a module with `ack` reads for a message:
 * `{"id":1,"input":"in","body":...,"properties":{...},"contentType":"..."}`, the last two if there are any. A body that
 * is no JSON is a string.
 */
export function taskLine(id: number, input: string, { body, properties, contentType }: Message): Buffer {
  const value = parsed(body);
  const pairs = properties.flatMap((name, at) => (at % 2 === 0 ? [[name, properties[at + 1]]] : []));
  const task = {
    id,
    input,
    body: value === undefined ? body.toString() : value,
    properties: pairs.length === 0 ? undefined : Object.fromEntries(pairs),
    contentType,
  };
  return Buffer.from(JSON.stringify(task));
}

/** The number in a line `{"ack":1}` of a module that says it is done; undefined for any other line. */
export function ackOfLine(line: Buffer): number | undefined {
  if (line.length > MAX_ACK_LINE || line[0] !== OPENING_BRACE || !line.includes(ACK_KEY)) return undefined;
  const value = parsed(line);
  if (typeof value !== 'object' || value === null || !('ack' in value)) return undefined;
  return Object.keys(value).length === 1 && typeof value.ack === 'number' ? value.ack : undefined;
}
