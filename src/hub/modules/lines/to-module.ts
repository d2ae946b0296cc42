import { isUtf8 } from 'node:buffer';
import type { Message, Properties } from '../../../core/message.ts';
import { isJson } from './json-scanner.ts';
import { quote } from './json-strings.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BLANK = 0x20;

/**
 * Returns the body of a message as one line. In a JSON body, line feeds are replaced by spaces. Any other
 * body with line feeds becomes a JSON string.
 */
export function lineOfMessage({ body }: Message): Buffer {
  if (!body.includes(LINE_FEED)) return body;
  return isJson(body) ? onOneLine(body) : quote(body);
}

/**
 * Returns a message as a line for a module that acknowledges lines:
 * `{"id":1,"input":"in","body":...,"properties":{...},"contentType":"..."}`. `properties` and `contentType`
 * are optional. The line is JSON in UTF-8. A JSON body is inserted with spaces in place of line ends. Any
 * other text is inserted as a string. Any other bytes are inserted as a base64 string, followed by
 * `"encoding":"base64"`.
 */
export function taskLine(id: number, input: string, { body, properties, contentType }: Message): Buffer {
  const head = `{"id":${id},"input":${JSON.stringify(input)},"body":`;
  const rest = `${membersOf(properties)}${contentType === undefined ? '' : `,"contentType":${JSON.stringify(contentType)}`}}`;
  if (!isUtf8(body)) return Buffer.from(`${head}"${body.toString('base64')}","encoding":"base64"${rest}`);
  return Buffer.concat([Buffer.from(head), isJson(body) ? onOneLine(body) : quote(body), Buffer.from(rest)]);
}

/** Returns the member `properties` as JSON text. Order and repeated names are preserved. */
function membersOf(properties: Properties): string {
  if (properties.length === 0) return '';
  const texts = properties.map((text, at) => `${JSON.stringify(text)}${at % 2 === 0 ? ':' : ','}`);
  return `,"properties":{${texts.join('').slice(0, -1)}}`;
}

/** Replaces the line ends of a JSON text by spaces. In valid JSON, line ends occur only between tokens. */
function onOneLine(json: Buffer): Buffer {
  if (!json.includes(LINE_FEED) && !json.includes(CARRIAGE_RETURN)) return json;
  const line = Buffer.from(json);
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at];
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) line[at] = BLANK;
  }
  return line;
}
