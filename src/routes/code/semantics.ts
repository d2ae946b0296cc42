import type { BinaryOperator, PathStep, UnaryOperator } from '../tree.ts';
import type { Type } from '../types/types.ts';
import type { Writer } from './writer.ts';

/**
 * Representation of a value in generated code. An undefined number is NaN; a string or boolean may be
 * undefined; `dynamic` is any body value.
 */
export type Form = 'number' | 'string' | 'boolean' | 'dynamic';

/** Generated code of a part. It may be used once in other code. */
export type Part = {
  readonly type: Type;
  readonly code: string;
  /** Relative evaluation cost; 0 for constants. */
  readonly cost: number;
  /** Value if it is constant for every message. */
  readonly known: Known | undefined;
};

export type Known = { readonly value: unknown };

/** Code generation of a dialect for each kind of part. */
export type Semantics = {
  readonly property: (name: string, writer: Writer) => string;
  readonly system: (name: string, writer: Writer) => string;
  readonly body: (path: readonly PathStep[], writer: Writer) => string;
  /** `hidden`, unless the application property `name` exists. */
  readonly shadowed: (name: string, hidden: Part, writer: Writer) => string;
  readonly twin: (path: readonly PathStep[], writer: Writer) => string;
  readonly unary: (operator: UnaryOperator, operand: Part, writer: Writer) => string;
  readonly binary: (operator: BinaryOperator, left: Part, right: Part, type: Type, writer: Writer) => string;
  readonly call: (name: string, operands: readonly Part[], writer: Writer) => string;
  /** Constant value of a call, determined by its operand types. */
  readonly knownCall: (name: string, types: readonly Type[]) => Known | undefined;
  readonly knownBinary: (operator: BinaryOperator, left: Part, right: Part) => Known | undefined;
  /** Code of a part as the result of a condition: true, false or undefined. */
  readonly verdict: (part: Part, writer: Writer) => string;
};
