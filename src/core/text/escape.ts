/**
 * Control and format characters, line and paragraph separators, and halves of surrogate pairs: whatever acts
 * on a terminal or hides.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text in which every hidden character but those in `kept` is escaped as JSON does, so that JSON stays
 * JSON.
 */
export function escapeHidden(text: string, kept = ''): string {
  return text.replace(HIDDEN, character => (kept.includes(character) ? character : escaped(character)));
}

function escaped(character: string): string {
  const units = character.split('');
  return (
    SHORT[character] ?? units.map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  );
}
