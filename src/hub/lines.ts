import type { Message, Properties } from '../core/message.ts';
import { NO_PROPERTIES, PLAIN } from '../core/message.ts';
import { outputTopic } from './names.ts';

/** The output of a line that names none. */
const DEFAULT_OUTPUT = 'out';

/** What only a line that names an output holds: all others are spared the parsing. */
const OUTPUT_KEY = Buffer.from('"output"');
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
