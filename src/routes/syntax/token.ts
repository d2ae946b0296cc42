import type { Span, Step } from '../tree.ts';

export type Token = Span &
  (
    | { readonly kind: 'word'; readonly word: string }
    /** Undefined: what looks like a number and is none (`e5` in the azure dialect). */
    | { readonly kind: 'number'; readonly value: number | undefined }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'braces'; readonly name: string }
    /** `$name`; in the azure dialect the name may be a path, `body.a[0]`. */
    | { readonly kind: 'system'; readonly name: string }
    | { readonly kind: 'body'; readonly path: readonly Step[] }
    | { readonly kind: 'source'; readonly path: string }
    | { readonly kind: 'symbol'; readonly symbol: string }
    | { readonly kind: 'end' }
  );

/** Finds the token at or after `from`; blanks and comments before it are passed over. */
export type ScanToken = (text: string, from: number) => Token;
