import { compilePart } from './code/condition.ts';
import { childrenOf } from './code/identities.ts';
import { printExpression } from './printer.ts';
import type { Route } from './route.ts';
import { sourceTakes } from './sources.ts';
import type { Subject, Verdict } from './subject.ts';
import type { Expression } from './tree.ts';

/** One part of a condition and what it is for a message. */
export type ExplainedPart = {
  /** As it would be written in the route. */
  readonly text: string;
  /** Undefined if it has no value, or none that can be computed. */
  readonly value: unknown;
  /** 0 for the whole condition. */
  readonly depth: number;
};

/** Why a route takes a message or not. */
export type Explained = {
  /** Whether the route's source fits the message. */
  readonly takes: boolean;
  /** Undefined: it was not asked. */
  readonly verdict: Verdict | undefined;
  /** The condition's parts, each before those that it is made of; literals speak for themselves. */
  readonly values: readonly ExplainedPart[];
};

/** Evaluates every part of a route's condition for one message. Not made for the hot path. */
export function explainRoute(route: Route, subject: Subject): Explained {
  const takes = sourceTakes(route.tree.source, subject.source, subject.topic);
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
  return { takes, verdict: route.judge(subject), values };
}

/** What cannot be computed (a joined string beyond its bound) has no value. */
function computed(compute: () => unknown): unknown {
  try {
    return compute();
  } catch {
    return undefined;
  }
}
