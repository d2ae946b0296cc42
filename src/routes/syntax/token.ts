import type { PathStep, TextSpan } from '../tree.ts';

export type Token = TextSpan &
  (
    | { readonly kind: 'word'; readonly word: string }
    /**
     * Number. The value is undefined if the text looks like a number but has no value (`e5` in the azure
     * dialect).
     */
    | { readonly kind: 'number'; readonly value: number | undefined }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'braces'; readonly name: string }
    /** `$name`. In the azure dialect, the name can be a path, such as `body.a[0]`. */
    | { readonly kind: 'system'; readonly name: string }
    | { readonly kind: 'body'; readonly path: readonly PathStep[] }
    | { readonly kind: 'source'; readonly path: string }
    | { readonly kind: 'symbol'; readonly symbol: string }
    | { readonly kind: 'end' }
  );

/** Function that scans the next token from `from`. Skips blanks and comments. */
export type ScanToken = (text: string, from: number) => Token;
