import { MAX_ROUTE_LENGTH } from '../core/limits.ts';
import { checkCondition } from './check.ts';
import { compileExpression } from './compile.ts';
import { type Diagnostic, diagnosticOf, RouteError, refuse } from './diagnostics.ts';
import { parseRoute } from './parser.ts';
import type { Subject, Verdict } from './subject.ts';
import type { Expression, RouteTree } from './tree.ts';
import { type Evaluate, truthOf } from './values.ts';

/** A compiled route. */
export type Route = {
  readonly text: string;
  readonly tree: RouteTree;
  /** Whether the condition asks for the body; it may then still be decided without. */
  readonly needsBody: boolean;
  /** What the condition says of a message whose source already fits. Never throws. */
  readonly judge: (subject: Subject) => Verdict;
};

/**
 * Compiles the text of one route, in time linear to its length. Never throws: whatever is wrong with the text
 * comes back as the diagnostic of the first thing that is.
 */
export function compileRoute(text: string): { readonly route: Route } | { readonly diagnostic: Diagnostic } {
  try {
    return { route: compile(text) };
  } catch (error) {
    if (error instanceof RouteError) return { diagnostic: diagnosticOf(text, error) };
    throw error;
  }
}

function compile(text: string): Route {
  if (text.length > MAX_ROUTE_LENGTH) {
    const span = { start: MAX_ROUTE_LENGTH, end: MAX_ROUTE_LENGTH + 1 };
    refuse(
      span,
      `a route may have ${MAX_ROUTE_LENGTH} characters, and this one has ${text.length}: split it`,
    );
  }
  const tree = parseRoute(text);
  if (tree.condition === undefined) return { text, tree, needsBody: false, judge: () => 'true' };
  checkCondition(tree.condition);
  return { text, tree, ...compileCondition(tree.condition) };
}

function compileCondition(condition: Expression): Pick<Route, 'needsBody' | 'judge'> {
  const compiled = compileExpression(condition);
  return { needsBody: compiled.needsBody, judge: judgeBy(truthOf(compiled)) };
}

function judgeBy(truth: Evaluate<boolean>): (subject: Subject) => Verdict {
  return subject => {
    try {
      const value = truth(subject);
      return value === undefined ? 'undefined' : value ? 'true' : 'false';
    } catch {
      return 'error';
    }
  };
}
