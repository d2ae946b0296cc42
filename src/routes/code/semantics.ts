import type { BinaryOperator, PathStep, UnaryOperator } from '../tree.ts';
import type { Type } from '../types/types.ts';
import type { Writer } from './writer.ts';

/**
 * Form of a value in generated code: the JavaScript type. NaN represents a missing number. Undefined
 * represents a missing string or boolean. `dynamic` is any body value.
 */
export type Form = 'number' | 'string' | 'boolean' | 'dynamic';

/**
 * Generated code of a part (a literal, property, operator or call) of a condition. The code must be inserted
 * at most once into other code.
 */
export type Part = {
  readonly type: Type;
  readonly code: string;
  /** Relative evaluation cost. 0 for constants. */
  readonly cost: number;
  /** Value of a part that is constant for every message. Undefined if the value depends on the message. */
  readonly known: Known | undefined;
};

export type Known = { readonly value: unknown };

/** Code generators of a dialect, one for each kind of part. */
export type Semantics = {
  readonly property: (name: string, writer: Writer) => string;
  readonly system: (name: string, writer: Writer) => string;
  readonly body: (path: readonly PathStep[], writer: Writer) => string;
  /**
   * Generates code that returns the application property `name` if the message has this property, and
   * otherwise the value of `hidden`.
   */
  readonly shadowed: (name: string, hidden: Part, writer: Writer) => string;
  readonly twin: (path: readonly PathStep[], writer: Writer) => string;
  readonly unary: (operator: UnaryOperator, operand: Part, writer: Writer) => string;
  readonly binary: (operator: BinaryOperator, left: Part, right: Part, type: Type, writer: Writer) => string;
  readonly call: (name: string, operands: readonly Part[], writer: Writer) => string;
  /**
   * Returns the constant value of a call. Returns undefined if the types of the operands do not determine the
   * value.
   */
  readonly knownCall: (name: string, types: readonly Type[]) => Known | undefined;
  readonly knownBinary: (operator: BinaryOperator, left: Part, right: Part) => Known | undefined;
  /** Generates the code of a part as the result of a condition: true, false or undefined. */
  readonly verdict: (part: Part, writer: Writer) => string;
};
