import { compilePart } from './code/condition.ts';
import { childrenOf } from './code/identities.ts';
import { printExpression } from './printer.ts';
import type { Route } from './route.ts';
import { sourceMatches } from './sources.ts';
import type { ConditionResult, Subject } from './subject.ts';
import type { Expression } from './tree.ts';

/** Part (a property, operator or call) of a condition, with its value for a message. */
export type ExplainedPart = {
  /** Text of the part. */
  readonly text: string;
  /** Value of the part. Undefined if the part has no value or if the value cannot be computed. */
  readonly value: unknown;
  /** Nesting depth. 0 for the whole condition. */
  readonly depth: number;
};

/** Explanation of why a route matches or does not match a message. */
export type Explained = {
  /** True if the source of the route matches the message. */
  readonly takes: boolean;
  /** Result of the condition. Undefined if the condition was not evaluated. */
  readonly verdict: ConditionResult | undefined;
  /** Parts of the condition in pre-order, without literals. */
  readonly values: readonly ExplainedPart[];
};

/** Evaluates every part of a route's condition for one message. Too slow for the hot path. */
export function explainRoute(route: Route, subject: Subject): Explained {
  const takes = sourceMatches(route.tree.source, subject.source, subject.topic);
  if (!takes) return { takes, verdict: undefined, values: [] };
  const { checked } = route;
  const values: ExplainedPart[] = [];
  const explain = (part: Expression, depth: number): void => {
    if (checked === undefined || part.kind === 'literal') return;
    const text = printExpression(part, route.dialect);
    values.push({ text, value: computed(() => compilePart(checked, part)(subject)), depth });
    if (part.kind !== 'shadowed') for (const child of childrenOf(part)) explain(child, depth + 1);
  };
  if (checked !== undefined) explain(checked.condition, 0);
  return { takes, verdict: route.evaluate(subject), values };
}

/**
 * Returns the result of `compute`. Returns undefined if the value cannot be computed, for example because a
 * joined string is too long.
 */
function computed(compute: () => unknown): unknown {
  try {
    return compute();
  } catch {
    return undefined;
  }
}
