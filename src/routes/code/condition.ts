import type { Dialect } from '../dialect.ts';
import type { Subject } from '../subject.ts';
import type { Expression } from '../tree.ts';
import type { Type, TypeFacts } from '../types/types.ts';
import { AZURE } from './azure/semantics.ts';
import { childrenOf, createIdentities, type OperandIds } from './identities.ts';
import type { Known, Part, Semantics } from './semantics.ts';
import { SKERRY } from './skerry.ts';
import { createWriter, type Writer } from './writer.ts';

/** Condition that has passed the type check, with the types of its parts. */
export type Checked = {
  readonly condition: Expression;
  readonly dialect: Dialect;
  readonly facts: TypeFacts;
};

const SEMANTICS: Readonly<Record<Dialect, Semantics>> = { skerry: SKERRY, azure: AZURE };

/** Relative evaluation cost of a constant part. */
const KNOWN = 0;

/** Relative evaluation cost of code that reads properties. */
const PROPERTIES = 1;

/** Relative evaluation cost of code that reads the body. */
export const BODY = 2;

/** Empty message, used to compute constant parts. */
const NO_SUBJECT: Subject = {
  source: '',
  topic: '',
  properties: [],
  system: () => undefined,
  body: () => undefined,
};

/**
 * Creates a function that generates the code of each part (literal, property, operator or call) of a
 * condition once. If a part occurs several times in the condition, the code computes its value once per
 * message.
 */
export function createParts(
  checked: Pick<Checked, 'dialect' | 'facts'>,
  identities: OperandIds,
  writer: Writer,
): (part: Expression) => Part {
  const semantics = SEMANTICS[checked.dialect];
  const parts = new Map<Expression, Part>();

  const partOf = (expression: Expression): Part => {
    const before = parts.get(expression);
    if (before !== undefined) return before;
    const part = writtenPart(expression);
    parts.set(expression, part);
    return part;
  };

  const writtenPart = (expression: Expression): Part => {
    const type = checked.facts.get(expression) ?? 'undefined';
    if (expression.kind === 'literal') return knownPart(type, { value: expression.value }, writer);
    const children = childrenOf(expression).map(partOf);
    const known = knownOf(expression, type, children);
    if (known !== undefined) return knownPart(type, known, writer);
    const key = identities.shared(expression);
    const code = codeOf(semantics, expression, children, type, writer);
    const shared = key === undefined ? code : writer.once(`${checked.dialect} ${key}`, () => code);
    return { type, code: shared, cost: costOf(expression, children), known: undefined };
  };

  const knownOf = (expression: Expression, type: Type, children: readonly Part[]): Known | undefined => {
    if (expression.kind === 'binary') {
      const [left, right] = children;
      const known = left && right && semantics.knownBinary(expression.operator, left, right);
      if (known !== undefined) return known;
    }
    if (expression.kind === 'call') {
      const types = children.map(child => child.type);
      const known = semantics.knownCall(expression.name, types);
      if (known !== undefined) return known;
    }
    const computed = ['unary', 'binary', 'call'].includes(expression.kind);
    return computed && children.every(child => child.known) ? folded(expression, type, children) : undefined;
  };

  const folded = (expression: Expression, type: Type, children: readonly Part[]): Known => {
    const separate = createWriter();
    const parts = children.map(child => knownPart(child.type, child.known ?? { value: undefined }, separate));
    const code = codeOf(semantics, expression, parts, type, separate);
    return { value: separate.finish(`return ${code};`)(NO_SUBJECT) };
  };

  return partOf;
}

/** Generates the code of a whole condition. The value of the code is true, false or undefined. */
export function verdictCode(checked: Checked, identities: OperandIds, writer: Writer): string {
  const part = createParts(checked, identities, writer)(checked.condition);
  return SEMANTICS[checked.dialect].verdict(part, writer);
}

/** Compiles one part of a condition to a function that returns the value of the part for a message. */
export function compilePart(checked: Checked, part: Expression): (subject: Subject) => unknown {
  const writer = createWriter();
  const { code } = createParts(checked, createIdentities(), writer)(part);
  const run = writer.finish(`return ${code};`);
  return subject => {
    const value = run(subject);
    if (typeof value === 'symbol') return null;
    return Number.isNaN(value) ? undefined : value;
  };
}

function codeOf(
  semantics: Semantics,
  expression: Expression,
  children: readonly Part[],
  type: Type,
  writer: Writer,
): string {
  const [first, second] = children;
  switch (expression.kind) {
    case 'property':
      return semantics.property(expression.name, writer);
    case 'system':
      return semantics.system(expression.name, writer);
    case 'body':
      return semantics.body(expression.path, writer);
    case 'twin':
      return semantics.twin(expression.path, writer);
    case 'call':
      return semantics.call(expression.name, children, writer);
    case 'shadowed':
      return first === undefined ? 'undefined' : semantics.shadowed(expression.name, first, writer);
    case 'unary':
      return first === undefined ? 'undefined' : semantics.unary(expression.operator, first, writer);
    case 'binary':
      if (first === undefined || second === undefined) return 'undefined';
      return semantics.binary(expression.operator, first, second, type, writer);
    case 'literal':
      return writer.data(expression.value);
  }
}

function knownPart(type: Type, known: Known, writer: Writer): Part {
  return { type, code: writer.data(known.value), cost: KNOWN, known };
}

function costOf(expression: Expression, children: readonly Part[]): number {
  if (expression.kind === 'body' || expression.kind === 'twin') return BODY;
  return Math.max(PROPERTIES, ...children.map(({ cost }) => cost));
}
