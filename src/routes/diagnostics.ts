import type { TextSpan } from './tree.ts';

/** Error or warning about a route, with its position. */
export type Diagnostic = TextSpan & {
  /** Sentence without its full stop: the subject, the problem and the fix. */
  readonly sentence: string;
  /** Line and column, counted from 1. A column is a character, not a UTF-16 unit. */
  readonly line: number;
  readonly column: number;
  /** Description of the expected text. */
  readonly expected: string | undefined;
  /** Similar known name, as a suggestion. */
  readonly nearest: string | undefined;
};

type Hints = { readonly expected?: string; readonly nearest?: string | undefined };

/** Characters shown of a line before and after the error. */
const SHOWN_BEFORE = 60;
const SHOWN_AFTER = 40;

/** Aborts a compilation. Never leaves this room, because `compileRoute` converts it to a diagnostic. */
export class RouteError extends Error {
  readonly span: TextSpan;
  readonly hints: Hints;

  constructor(span: TextSpan, sentence: string, hints: Hints) {
    super(sentence);
    this.name = 'RouteError';
    this.span = span;
    this.hints = hints;
  }
}

/** Rejects the route because of the text at `span`. */
export function refuse(span: TextSpan, sentence: string, hints: Hints = {}): never {
  throw new RouteError(span, sentence, hints);
}

/** Converts an error to a diagnostic with line and column. */
export function diagnosticOf(text: string, error: RouteError): Diagnostic {
  const { start, end } = error.span;
  return {
    sentence: error.message,
    start,
    end,
    line: text.slice(0, start).split('\n').length,
    column: lengthOf(text.slice(lineStartOf(text, start), start)) + 1,
    expected: error.hints.expected,
    nearest: error.hints.nearest,
  };
}

/**
 * Formats a diagnostic as a sentence with line and column, the source line, and carets under the error.
 * Control characters become blanks, so that a route cannot write to a terminal.
 */
export function formatDiagnostic(name: string, text: string, diagnostic: Diagnostic): string {
  const { line, column, start, end } = diagnostic;
  const lineStart = lineStartOf(text, start);
  const nextBreak = text.indexOf('\n', start);
  const lineEnd = nextBreak < 0 ? text.length : nextBreak;
  const from = Math.max(lineStart, start - SHOWN_BEFORE);
  const to = Math.min(lineEnd, start + SHOWN_AFTER);
  const excerpt = `${from > lineStart ? '…' : ''}${text.slice(from, to)}${to < lineEnd ? '…' : ''}`;
  const indent = lengthOf(text.slice(from, start)) + (from > lineStart ? 1 : 0);
  const width = Math.max(1, lengthOf(text.slice(start, Math.min(end, to))));
  return [
    `route ${printable(name)}, line ${line}, column ${column}: ${printable(sentenceOf(diagnostic))}`,
    `  ${printable(excerpt)}`,
    `  ${' '.repeat(indent)}${'^'.repeat(width)}`,
  ].join('\n');
}

function sentenceOf({ sentence, expected, nearest }: Diagnostic): string {
  const whole = expected === undefined ? sentence : `${sentence}; expected ${expected}`;
  return nearest === undefined ? `${whole}.` : `${whole}; did you mean ${nearest}?`;
}

function lineStartOf(text: string, offset: number): number {
  return text.slice(0, offset).lastIndexOf('\n') + 1;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function printable(text: string): string {
  return Array.from(text, character => (isControl(character) ? ' ' : character)).join('');
}

function isControl(character: string): boolean {
  return character < ' ' || (character >= '\u007f' && character <= '\u009f');
}
