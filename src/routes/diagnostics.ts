import type { Span } from './tree.ts';

/** Why a route was refused, and where. */
export type Diagnostic = Span & {
  /** One sentence without its full stop: the thing, what is wrong with it and what to write instead. */
  readonly sentence: string;
  /** Counted from 1. A column is a character, not a UTF-16 unit. */
  readonly line: number;
  readonly column: number;
  /** What could have stood there. */
  readonly expected: string | undefined;
  /** The known name that was probably meant. */
  readonly nearest: string | undefined;
};

type Hints = { readonly expected?: string; readonly nearest?: string | undefined };

/** Characters of a line that are shown around what is underlined. */
const SHOWN_BEFORE = 60;
const SHOWN_AFTER = 40;

/** Ends a compilation. Never leaves this room: `compileRoute` turns it into a diagnostic. */
export class RouteError extends Error {
  readonly span: Span;
  readonly hints: Hints;

  constructor(span: Span, sentence: string, hints: Hints) {
    super(sentence);
    this.name = 'RouteError';
    this.span = span;
    this.hints = hints;
  }
}

/** Refuses the route because of the text at `span`. */
export function refuse(span: Span, sentence: string, hints: Hints = {}): never {
  throw new RouteError(span, sentence, hints);
}

/** The diagnostic of a refusal, with line and column found in the route's text. */
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
 * A diagnostic for people: a sentence with line and column, the line of the route's `text`, and carets under
 * what is wrong. Control characters are shown as blanks, so that a route cannot write to a terminal.
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
