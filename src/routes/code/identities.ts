import type { Expression } from '../tree.ts';

/** Finder of common subexpressions in conditions. */
export type OperandIds = {
  /** Adds a condition. Returns the number of operands and operators in the condition. */
  readonly add: (condition: Expression) => number;
  /**
   * Returns the key of a part that occurs several times. Equal parts have the same key and share their value.
   * Returns undefined if the part occurs only once, or if the part is a literal.
   */
  readonly shared: (part: Expression) => string | undefined;
};

export function createIdentities(): OperandIds {
  const ids = new Map<string, number>();
  const byPart = new Map<Expression, number>();
  const occurrences: number[] = [];
  let parts = 0;

  const intern = (key: string): number => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    ids.set(key, occurrences.length);
    return occurrences.push(0) - 1;
  };
  const identify = (part: Expression): number => {
    parts += 1;
    const id = intern(keyOf(part, childrenOf(part).map(identify)));
    occurrences[id] = (occurrences[id] ?? 0) + 1;
    byPart.set(part, id);
    return id;
  };

  return {
    add: condition => {
      const before = parts;
      identify(condition);
      return parts - before;
    },
    shared: part => {
      const id = byPart.get(part);
      if (id === undefined || part.kind === 'literal' || (occurrences[id] ?? 0) < 2) return undefined;
      return `part ${id}`;
    },
  };
}

/**
 * Returns the direct parts of an expression, such as the operands of an operator or call. Returns an empty
 * array for a literal or property.
 */
export function childrenOf(part: Expression): readonly Expression[] {
  switch (part.kind) {
    case 'unary':
      return [part.operand];
    case 'binary':
      return [part.left, part.right];
    case 'call':
      return part.operands;
    case 'shadowed':
      return [part.hidden];
    default:
      return [];
  }
}

/**
 * Returns a key for the structure of a part. `children` contains the numbers that identify the operands. Two
 * parts have the same key if they have the same operator and the same operands.
 */
function keyOf(part: Expression, children: readonly number[]): string {
  switch (part.kind) {
    case 'literal':
      return JSON.stringify([typeof part.value, Object.is(part.value, -0) ? '-0' : String(part.value)]);
    case 'property':
    case 'system':
    case 'shadowed':
      return JSON.stringify([part.kind, part.name, ...children]);
    case 'body':
    case 'twin':
      return JSON.stringify([part.kind, part.path]);
    case 'unary':
    case 'binary':
      return JSON.stringify([part.kind, part.operator, ...children]);
    case 'call':
      return JSON.stringify([part.kind, part.name, ...children]);
  }
}
