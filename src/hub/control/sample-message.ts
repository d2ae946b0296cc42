import { Failure, reasonOf } from '../../core/errors.ts';
import type { Message } from '../../core/message.ts';
import { PLAIN } from '../../core/message.ts';
import type { Subject } from '../../routes/subject.ts';
import { decodeBody } from '../routing/body-decoder.ts';

/** Field names of a sample message. */
const FIELDS = ['body', 'bodyText', 'bodyBase64', 'properties', 'system', 'source', 'topic'];

/** Default system properties of a sample message with the field `body`. */
const JSON_SYSTEM = { contentType: 'application/json', contentEncoding: 'utf-8' };

const DEFAULT_SOURCE = '/messages';
const DEFAULT_TOPIC = 'a/b';

/**
 * Parses a sample message for the test of route conditions: `{"body": ..., "properties": {...}, "system":
 * {...}, "source": "/messages/modules/m/outputs/o", "topic": "a/b"}`. The field `bodyText` (text) or
 * `bodyBase64` (base64) can replace the field `body`. Throws Failure `usage` if the text is invalid.
 */
export function sampleSubject(text: string): Subject {
  const written = objectOf(parsed(text), 'The message');
  const unknown = Object.keys(written).find(field => !FIELDS.includes(field));
  if (unknown !== undefined) {
    throw refusal(`"${unknown}" is not a field of a message: there are ${FIELDS.join(', ')}`);
  }
  const system = textsOf(written['system'], 'system');
  const known = 'body' in written ? { ...JSON_SYSTEM, ...system } : system;
  const body = bodyOf(written, known);
  return {
    source: textOf(written['source'], 'source') ?? DEFAULT_SOURCE,
    topic: textOf(written['topic'], 'topic') ?? DEFAULT_TOPIC,
    properties: Object.entries(textsOf(written['properties'], 'properties')).flat(),
    system: name => (Object.hasOwn(known, name) ? known[name] : undefined),
    body: () => body,
  };
}

function bodyOf(
  written: Readonly<Record<string, unknown>>,
  system: Readonly<Record<string, string>>,
): unknown {
  const given = ['body', 'bodyText', 'bodyBase64'].filter(field => field in written);
  if (given.length > 1) throw refusal(`a message has one of ${given.join(' and ')}`);
  if ('body' in written) return written['body'];
  const text = textOf(written['bodyText'], 'bodyText');
  const base64 = textOf(written['bodyBase64'], 'bodyBase64');
  if (text === undefined && base64 === undefined) return undefined;
  const bytes = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  const message: Message = {
    ...PLAIN,
    topic: DEFAULT_TOPIC,
    body: bytes,
    qos: 1,
    origin: { kind: 'client', client: '' },
    contentType: system['contentType'],
  };
  return decodeBody(message, system['contentEncoding']);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw refusal(`it is not JSON (${reasonOf(thrown)})`);
  }
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw refusal(`${what} must be an object such as {"body": {"celsius": 61}}`);
}

function textsOf(value: unknown, field: string): Record<string, string> {
  if (value === undefined) return {};
  const texts: Record<string, string> = {};
  for (const [name, text] of Object.entries(objectOf(value, `"${field}"`))) {
    if (typeof text !== 'string') throw refusal(`"${field}.${name}" must be a string, as all properties are`);
    texts[name] = text;
  }
  return texts;
}

function textOf(value: unknown, field: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw refusal(`"${field}" must be a string`);
}

function refusal(complaint: string): Failure {
  return new Failure('usage', `The message cannot be read: ${complaint}.`);
}
