import { MAX_USER_PROPERTIES } from '../limits.ts';
import type { Message } from '../message.ts';

/** Maximum bytes of an MQTT string, whose length is a number of 16 bits (MQTT 5, 1.5.4). */
export const MAX_STRING_BYTES = 65_535;

/**
 * Characters that an MQTT string must not contain (MQTT 5, 1.5.4; MQTT 3.1.1, 1.5.3): control characters
 * including U+0000, unpaired surrogates, and non-characters. The text is a part of a character class of a
 * regular expression with the flag `u`. A receiver can close its connection because of such a character. A
 * message with this character would then block the queue of a persistent session.
 */
export const FORBIDDEN_CHARACTERS = '\\p{Cc}\\p{Cs}\\p{Noncharacter_Code_Point}';

const FORBIDDEN = new RegExp(`[${FORBIDDEN_CHARACTERS}]`, 'u');

/**
 * Returns the first character of `text` that an MQTT string must not contain, as `U+0085`. Undefined if all
 * characters are allowed.
 */
export function forbiddenCharacterIn(text: string): string | undefined {
  const code = FORBIDDEN.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

export function hasForbiddenCharacter(text: string): boolean {
  return FORBIDDEN.test(text);
}

/** Returns the reason why `text` is no valid MQTT string, as a clause. Undefined if it is valid. */
export function stringProblem(text: string): string | undefined {
  const character = forbiddenCharacterIn(text);
  if (character !== undefined) return `contains the character ${character}, which MQTT forbids`;
  return Buffer.byteLength(text) > MAX_STRING_BYTES ? `is longer than ${MAX_STRING_BYTES} bytes` : undefined;
}

/**
 * Returns the reason why a message has an invalid string, as a clause. Undefined if all strings are valid.
 * The body is allowed to contain any bytes.
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

function problemOf(field: string, text: string): string | undefined {
  const problem = stringProblem(text);
  return problem === undefined ? undefined : `its ${field} ${problem}`;
}
