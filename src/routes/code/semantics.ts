import type { BinaryOperator, Step, UnaryOperator } from '../tree.ts';
import type { Type } from '../types/types.ts';
import type { Writer } from './writer.ts';

/**
 * How code holds a value. A number that is undefined is NaN; a string or a boolean may be undefined; `dynamic` is any
 * value of a body.
 */
export type Form = 'number' | 'string' | 'boolean' | 'dynamic';

/** The code of a part of a condition. It may stand in other code once: it is not repeated. */
export type Part = {
  readonly type: Type;
  readonly code: string;
  /** What it costs to ask, compared with others: 0 for what is known. */
  readonly cost: number;
  /** Its value if it is the same for every message. */
  readonly known: Known | undefined;
};

export type Known = { readonly value: unknown };

/** What a dialect makes of each kind of part, written as code. */
export type Semantics = {
  readonly property: (name: string, writer: Writer) => string;
  readonly system: (name: string, writer: Writer) => string;
  readonly body: (path: readonly Step[], writer: Writer) => string;
  /** `hidden`, unless there is an application property `name`. */
  readonly shadowed: (name: string, hidden: Part, writer: Writer) => string;
  readonly twin: (path: readonly Step[], writer: Writer) => string;
  readonly unary: (operator: UnaryOperator, operand: Part, writer: Writer) => string;
  readonly binary: (operator: BinaryOperator, left: Part, right: Part, type: Type, writer: Writer) => string;
  readonly call: (name: string, operands: readonly Part[], writer: Writer) => string;
  /** What a call is worth whatever the message, told by the types of its operands. */
  readonly knownCall: (name: string, types: readonly Type[]) => Known | undefined;
  readonly knownBinary: (operator: BinaryOperator, left: Part, right: Part) => Known | undefined;
  /** A part as the verdict of a condition: true, false or undefined. */
  readonly verdict: (part: Part, writer: Writer) => string;
};
