import { closestName } from '../../core/text/closest-name.ts';
import { refuse } from '../diagnostics.ts';
import type { TextSpan } from '../tree.ts';
import { scanSource } from './blanks.ts';
import type { ScanToken, Token } from './token.ts';
import { scanUpstreamName } from './upstream-name.ts';

/** Read position of the parsers in the text of a route. Looks ahead one token. */
export type Cursor = {
  readonly peek: () => Token;
  readonly next: () => Token;
  /**
   * Reads a source that begins with `/`. Returns undefined if the text does not continue with `/`. Must not
   * be called after `peek`.
   */
  readonly source: () => Token | undefined;
  /**
   * Reads the name in `$upstream/name`. Returns undefined if no `/` follows. Must not be called after `peek`.
   */
  readonly upstreamName: () => string | undefined;
  readonly atSymbol: (symbol: string) => boolean;
  readonly atKeyword: (keyword: string) => boolean;
  readonly expectSymbol: (symbol: string) => TextSpan;
  readonly expectKeyword: (keyword: string) => void;
};

export function createCursor(text: string, scanToken: ScanToken): Cursor {
  let offset = 0;
  let lookahead: Token | undefined;

  const peek = (): Token => {
    lookahead ??= scanToken(text, offset);
    return lookahead;
  };
  const consume = (token: Token): Token => {
    offset = token.end;
    lookahead = undefined;
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
    next: () => consume(peek()),
    source: () => {
      const token = scanSource(text, offset);
      return token === undefined ? undefined : consume(token);
    },
    upstreamName: () => {
      const token = scanUpstreamName(text, offset);
      if (token === undefined) return undefined;
      consume(token);
      return token.word;
    },
    atSymbol,
    atKeyword,
    expectSymbol: symbol => (atSymbol(symbol) ? consume(peek()) : refuseToken(peek(), symbol)),
    expectKeyword: keyword => {
      if (!atKeyword(keyword)) refuseToken(peek(), keyword, [keyword]);
      consume(peek());
    },
  };
}

/**
 * Throws a `RouteError` that refuses `token`, because `expected` is required at this position. If a name in
 * `known` is similar to the token, the error suggests this name.
 */
export function refuseToken(token: Token, expected: string, known: Iterable<string> = []): never {
  if (token.kind === 'end') return refuse(token, 'unexpected end of the route', { expected });
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
