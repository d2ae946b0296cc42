import { isUtf8 } from 'node:buffer';
import type { Message, Properties } from '../../core/message.ts';
import { isJson } from './json-scanner.ts';
import { quote } from './json-strings.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BLANK = 0x20;

/**
 * Line that a module reads for a message: its body as it is. One with line feeds keeps to one line: in JSON, where they
 * stand between tokens, they become blanks; anything else becomes a JSON string.
 */
export function lineOfMessage({ body }: Message): Buffer {
  if (!body.includes(LINE_FEED)) return body;
  return isJson(body) ? onOneLine(body) : quote(body);
}

/**
 * Line that a module with `ack` reads for a message: `{"id":1,"input":"in","body":...,"properties":{...},"contentType":"..."}`,
 * the last two if there are any. It is always JSON in UTF-8: a body that is that already stands in it as it is but for line
 * ends between tokens, which become blanks; other text is a string; and bytes are a string in base64 behind which
 * `"encoding":"base64"` stands.
 */
export function taskLine(id: number, input: string, { body, properties, contentType }: Message): Buffer {
  const head = `{"id":${id},"input":${JSON.stringify(input)},"body":`;
  const rest = `${membersOf(properties)}${contentType === undefined ? '' : `,"contentType":${JSON.stringify(contentType)}`}}`;
  if (!isUtf8(body)) return Buffer.from(`${head}"${body.toString('base64')}","encoding":"base64"${rest}`);
  return Buffer.concat([Buffer.from(head), isJson(body) ? onOneLine(body) : quote(body), Buffer.from(rest)]);
}

/** Member with the properties in their order; a name that repeats does so here. */
function membersOf(properties: Properties): string {
  if (properties.length === 0) return '';
  const texts = properties.map((text, at) => `${JSON.stringify(text)}${at % 2 === 0 ? ':' : ','}`);
  return `,"properties":{${texts.join('').slice(0, -1)}}`;
}

/** Replaces line ends, which stand between the tokens of JSON alone, by blanks. */
function onOneLine(json: Buffer): Buffer {
  if (!json.includes(LINE_FEED) && !json.includes(CARRIAGE_RETURN)) return json;
  const line = Buffer.from(json);
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at];
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) line[at] = BLANK;
  }
  return line;
}
