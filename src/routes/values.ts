import type { Subject } from './subject.ts';
import type { Literal } from './tree.ts';

/** A compiled part of a condition: its value for one message, undefined if it has none. */
export type Evaluate<T> = (subject: Subject) => T | undefined;

/** A compiled part of a condition with what is known of it. */
export type Compiled = {
  /** The same for every message. */
  readonly constant: boolean;
  readonly needsBody: boolean;
} & (
  | { readonly type: 'number'; readonly run: Evaluate<number> }
  | { readonly type: 'string'; readonly run: Evaluate<string> }
  | { readonly type: 'boolean'; readonly run: Evaluate<boolean> }
  | { readonly type: 'null' | 'undefined' | 'dynamic'; readonly run: Evaluate<unknown> }
);

/** A message that has nothing: constants are computed from it. */
export const NO_SUBJECT: Subject = {
  source: '',
  topic: '',
  property: () => undefined,
  system: () => undefined,
  body: () => undefined,
};

/** What is the same for every message. */
export function constantOf(value: Literal['value']): Compiled {
  const facts = { constant: true, needsBody: false };
  switch (typeof value) {
    case 'number':
      return { type: 'number', ...facts, run: () => value };
    case 'string':
      return { type: 'string', ...facts, run: () => value };
    case 'boolean':
      return { type: 'boolean', ...facts, run: () => value };
    default:
      return { type: value === null ? 'null' : 'undefined', ...facts, run: () => value };
  }
}

/** A property of the message. */
export function propertyOf(run: Evaluate<string>): Compiled {
  return { type: 'string', constant: false, needsBody: false, run };
}

/** A part of the message's body. */
export function bodyPart(run: Evaluate<unknown>): Compiled {
  return { type: 'dynamic', constant: false, needsBody: true, run };
}

/** A number computed from `operands`. NaN is undefined, so that it never reaches a comparison. */
export function numeric(operands: readonly Compiled[], run: Evaluate<number>): Compiled {
  const defined = lift(run, value => (Number.isNaN(value) ? undefined : value));
  return { type: 'number', ...factsOf(operands), run: folded(operands, defined) };
}

/** A string computed from `operands`. */
export function textual(operands: readonly Compiled[], run: Evaluate<string>): Compiled {
  return { type: 'string', ...factsOf(operands), run: folded(operands, run) };
}

/** A truth computed from `operands`. */
export function logical(operands: readonly Compiled[], run: Evaluate<boolean>): Compiled {
  return { type: 'boolean', ...factsOf(operands), run: folded(operands, run) };
}

/** A value computed from `operands` whose type only the message decides. */
export function dynamic(operands: readonly Compiled[], run: Evaluate<unknown>): Compiled {
  return { type: 'dynamic', ...factsOf(operands), run: folded(operands, run) };
}

/** The operand as a number; undefined where the body holds something else. */
export function numberOf(operand: Compiled | undefined): Evaluate<number> {
  if (operand?.type === 'number') return operand.run;
  return fromBody(operand, value => (typeof value === 'number' ? value : undefined));
}

/** The operand as a string; undefined where the body holds something else. */
export function stringOf(operand: Compiled | undefined): Evaluate<string> {
  if (operand?.type === 'string') return operand.run;
  return fromBody(operand, value => (typeof value === 'string' ? value : undefined));
}

/** The operand as a truth; undefined where the body holds something else, null included. */
export function truthOf(operand: Compiled | undefined): Evaluate<boolean> {
  if (operand?.type === 'boolean') return operand.run;
  return fromBody(operand, value => (typeof value === 'boolean' ? value : undefined));
}

/** `compute` of one value, undefined if that is undefined. */
export function lift<A, R>(one: Evaluate<A>, compute: (first: A) => R | undefined): Evaluate<R> {
  return subject => {
    const first = one(subject);
    return first === undefined ? undefined : compute(first);
  };
}

/** `compute` of two values, undefined if either is undefined. */
export function liftTwo<A, B, R>(
  one: Evaluate<A>,
  other: Evaluate<B>,
  compute: (first: A, second: B) => R | undefined,
): Evaluate<R> {
  return subject => {
    const first = one(subject);
    if (first === undefined) return undefined;
    const second = other(subject);
    return second === undefined ? undefined : compute(first, second);
  };
}

function fromBody<T>(operand: Compiled | undefined, read: (value: unknown) => T | undefined): Evaluate<T> {
  return operand?.type === 'dynamic' ? lift(operand.run, read) : () => undefined;
}

function factsOf(operands: readonly Compiled[]): { constant: boolean; needsBody: boolean } {
  return {
    constant: operands.every(operand => operand.constant),
    needsBody: operands.some(operand => operand.needsBody),
  };
}

function folded<T>(operands: readonly Compiled[], run: Evaluate<T>): Evaluate<T> {
  if (!operands.every(operand => operand.constant)) return run;
  const value = run(NO_SUBJECT);
  return () => value;
}
