/**
 * Characters that are invisible or control a terminal: control and format characters, line and paragraph
 * separators, and unpaired surrogates.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes invisible characters as JSON does, except those in `kept`. A JSON text stays valid JSON. */
export function escapeHidden(text: string, kept = ''): string {
  return text.replace(HIDDEN, character => (kept.includes(character) ? character : escaped(character)));
}

function escaped(character: string): string {
  const units = character.split('');
  return (
    SHORT[character] ?? units.map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  );
}
