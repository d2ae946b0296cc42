/** Typed value of Azure IoT Edge. `any` is a body value. A defined string can be null. */
export type Typed =
  | { readonly type: 'number'; readonly value: number | undefined }
  | { readonly type: 'string'; readonly value: string | null | undefined }
  | { readonly type: 'boolean'; readonly value: boolean | undefined }
  | { readonly type: 'null' | 'undefined'; readonly value: undefined }
  | { readonly type: 'any'; readonly value: Any };

/** Body value: undefined, or one of four kinds. `missing` is null, except for is_null. */
export type Any =
  | undefined
  | { readonly kind: 'boolean'; readonly of: boolean }
  | { readonly kind: 'number'; readonly of: number }
  | { readonly kind: 'string'; readonly of: string | null }
  | { readonly kind: 'null'; readonly missing: boolean };

/** Kinds of body values in ascending order. */
const KINDS = ['boolean', 'number', 'string', 'null'];

/** Exception of a condition whose operand types do not match. The compiler refuses the condition. */
export const REFUSED = Symbol('refused');

export function refuse(): never {
  throw REFUSED;
}

export function bool(value: boolean | undefined): Typed {
  return { type: 'boolean', value };
}

export function number(value: number | undefined): Typed {
  return { type: 'number', value: Number.isNaN(value) ? undefined : value };
}

export function widened(typed: Typed): Any {
  switch (typed.type) {
    case 'any':
      return typed.value;
    case 'null':
      return { kind: 'null', missing: false };
    case 'number':
      return typed.value === undefined ? undefined : { kind: 'number', of: typed.value };
    case 'string':
      return typed.value === undefined ? undefined : { kind: 'string', of: typed.value };
    case 'boolean':
      return typed.value === undefined ? undefined : { kind: 'boolean', of: typed.value };
    case 'undefined':
      return undefined;
  }
}

export function orderOf(one: NonNullable<Any>, other: NonNullable<Any>): number {
  if (one.kind !== other.kind) return KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind);
  if (one.kind === 'null' || other.kind === 'null') return 0;
  // NaN and a null text are less than all others of their kind.
  const ranks = [one.of, other.of].map(value => (value === null || Number.isNaN(value) ? 0 : 1));
  const [rank = 0, otherRank = 0] = ranks;
  if (rank !== otherRank) return rank - otherRank;
  if (rank === 0 || one.of === other.of) return 0;
  return (one.of ?? '') < (other.of ?? '') ? -1 : 1;
}

export function text(typed: Typed | undefined): string | null | undefined {
  if (typed?.type === 'string') return typed.value;
  if (typed?.type !== 'any') return refuse();
  return typed.value?.kind === 'string' ? typed.value.of : undefined;
}

export function numberOf(typed: Typed | undefined): number | undefined {
  if (typed?.type === 'number') return typed.value;
  if (typed?.type !== 'any') return refuse();
  const value = typed.value?.kind === 'number' ? typed.value.of : undefined;
  return Number.isNaN(value) ? undefined : value;
}

export function concat(operands: readonly Typed[]): Typed {
  const texts = operands.map(text);
  return { type: 'string', value: texts.includes(undefined) ? undefined : texts.join('') };
}
