import type { TextSpan } from './tree.ts';

/** Error or warning about a route, with its position in the text. */
export type Diagnostic = TextSpan & {
  /** Sentence without its full stop: the subject, the problem and the fix. */
  readonly sentence: string;
  /** Line, counted from 1. */
  readonly line: number;
  /** Column, counted from 1 in characters, not in UTF-16 units. */
  readonly column: number;
  /**
   * Description of the text that was expected. Undefined if the diagnostic does not name an expected text.
   */
  readonly expected: string | undefined;
  /** Known name that is similar to the wrong name. Undefined if no known name is similar. */
  readonly nearest: string | undefined;
};

type Hints = { readonly expected?: string; readonly nearest?: string | undefined };

/** Maximum number of characters of the line that a diagnostic shows before the error. */
const SHOWN_BEFORE = 60;

/** Maximum number of characters of the line that a diagnostic shows from the start of the error. */
const SHOWN_AFTER = 40;

/**
 * Error that aborts the compilation of a route. `compileRoute` converts this error to a diagnostic and never
 * throws it.
 */
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

/** Throws a `RouteError` that refuses the route because of the text at `span`. */
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
 * Formats a diagnostic as a sentence with line and column, the line of the route, and carets under the error.
 * Control characters become blanks, so that a route cannot send control sequences to a terminal.
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
