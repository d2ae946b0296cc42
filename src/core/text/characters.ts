import { MAX_USER_PROPERTIES } from '../limits.ts';
import type { Message } from '../message.ts';

/** Maximum bytes of one MQTT string, whose length has 16 bits (MQTT 5, 1.5.4). */
export const MAX_STRING_BYTES = 65_535;

/**
 * Code points that an MQTT string must not hold (MQTT 5, 1.5.4; MQTT 3.1.1, 1.5.3): U+0000, control
 * characters, surrogates without their other half, and non-characters; part of a character class of a regular
 * expression with the flag `u`. A receiver may end its connection for any of them, so a message with one
 * would keep a persistent session of such a client from all that waits behind it.
 */
export const FORBIDDEN_CHARACTERS = '\\p{Cc}\\p{Cs}\\p{Noncharacter_Code_Point}';

const FORBIDDEN = new RegExp(`[${FORBIDDEN_CHARACTERS}]`, 'u');

/**
 * First character of `text` that an MQTT string must not contain, as `U+0085`. Undefined if all are allowed.
 */
export function forbiddenCharacterIn(text: string): string | undefined {
  const code = FORBIDDEN.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

export function hasForbiddenCharacter(text: string): boolean {
  return FORBIDDEN.test(text);
}

/** Problem of `text` as an MQTT string, as half a sentence; undefined if a packet can hold it. */
export function stringProblem(text: string): string | undefined {
  const character = forbiddenCharacterIn(text);
  if (character !== undefined) return `contains the character ${character}, which MQTT forbids`;
  return Buffer.byteLength(text) > MAX_STRING_BYTES ? `is longer than ${MAX_STRING_BYTES} bytes` : undefined;
}

/**
 * Problem of the strings of a message, as half a sentence. Undefined if packets can hold them all. The body
 * may be anything.
 */
export function messageProblem({
  topic,
  contentType,
  responseTopic,
  properties,
}: Pick<Message, 'topic' | 'contentType' | 'responseTopic' | 'properties'>): string | undefined {
  if (properties.length > 2 * MAX_USER_PROPERTIES)
    return `it has more than ${MAX_USER_PROPERTIES} user properties`;
  return (
    problemOf('topic', topic) ??
    problemOf('content type', contentType ?? '') ??
    problemOf('response topic', responseTopic ?? '') ??
    properties.map(text => problemOf('property', text)).find(problem => problem !== undefined)
  );
}

function problemOf(what: string, text: string): string | undefined {
  const problem = stringProblem(text);
  return problem === undefined ? undefined : `its ${what} ${problem}`;
}
