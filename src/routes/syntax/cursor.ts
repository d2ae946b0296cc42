import { closestName } from '../../core/text/closest-name.ts';
import { refuse } from '../diagnostics.ts';
import type { TextSpan } from '../tree.ts';
import { scanSource } from './blanks.ts';
import type { ScanToken, Token } from './token.ts';
import { scanUpstreamName } from './upstream-name.ts';

/** Position in a route's text, from which the parsers read. Looks ahead one token. */
export type Cursor = {
  readonly peek: () => Token;
  readonly next: () => Token;
  /** Reads a source that begins with `/`, if it is next. Not allowed after `peek`. */
  readonly source: () => Token | undefined;
  /** Takes the name in `$upstream/name`, if a `/` comes next. Not after a `peek`. */
  readonly upstreamName: () => string | undefined;
  readonly atSymbol: (symbol: string) => boolean;
  readonly atKeyword: (keyword: string) => boolean;
  readonly expectSymbol: (symbol: string) => TextSpan;
  readonly expectKeyword: (keyword: string) => void;
};

export function createCursor(text: string, scanToken: ScanToken): Cursor {
  let offset = 0;
  let ahead: Token | undefined;

  const peek = (): Token => {
    ahead ??= scanToken(text, offset);
    return ahead;
  };
  const take = (token: Token): Token => {
    offset = token.end;
    ahead = undefined;
    return token;
  };
  const atSymbol = (symbol: string): boolean => {
    const token = peek();
    return token.kind === 'symbol' && token.symbol === symbol;
  };
  const atKeyword = (keyword: string): boolean => {
    const token = peek();
    return token.kind === 'word' && token.word.toUpperCase() === keyword;
  };

  return {
    peek,
    next: () => take(peek()),
    source: () => {
      const token = scanSource(text, offset);
      return token === undefined ? undefined : take(token);
    },
    upstreamName: () => {
      const token = scanUpstreamName(text, offset);
      if (token === undefined) return undefined;
      take(token);
      return token.word;
    },
    atSymbol,
    atKeyword,
    expectSymbol: symbol => (atSymbol(symbol) ? take(peek()) : refuseToken(peek(), symbol)),
    expectKeyword: keyword => {
      if (!atKeyword(keyword)) refuseToken(peek(), keyword, [keyword]);
      take(peek());
    },
  };
}

/** Rejects `token` where `expected` is required. `known` are names for suggestions. */
export function refuseToken(token: Token, expected: string, known: Iterable<string> = []): never {
  if (token.kind === 'end') return refuse(token, 'the route ends too early', { expected });
  const written = describe(token);
  const named = token.kind === 'word' || token.kind === 'system';
  const nearest = named ? closestName(written, known) : undefined;
  return refuse(token, `${written} is not allowed here`, { expected, nearest });
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end';
    case 'word':
      return token.word;
    case 'symbol':
      return token.symbol;
    case 'source':
      return token.path;
    case 'number':
      return `the number ${token.value}`;
    case 'string':
      return 'a string';
    case 'braces':
      return `{${token.name}}`;
    case 'system':
      return `$${token.name}`;
    case 'body':
      return 'a path of $body';
  }
}
