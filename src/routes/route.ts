import { MAX_ROUTE_LENGTH } from '../core/limits.ts';
import { BODY, type Checked, createParts, verdictCode } from './code/condition.ts';
import { createIdentities } from './code/identities.ts';
import { createWriter } from './code/writer.ts';
import { type Diagnostic, diagnosticOf, RouteError, refuse } from './diagnostics.ts';
import type { Dialect } from './dialect.ts';
import type { ConditionResult, Subject } from './subject.ts';
import { parseRoute } from './syntax/parser.ts';
import type { RouteTree } from './tree.ts';
import { checkCondition } from './types/check.ts';
import { warningsOfParts, warningsOfRest } from './warnings.ts';

export type Route = {
  readonly text: string;
  readonly dialect: Dialect;
  readonly tree: RouteTree;
  /** Type-checked condition. Undefined if the route matches all messages of its source. */
  readonly checked: Checked | undefined;
  /**
   * True if the result of the condition can depend on the body. For some messages, the properties alone still
   * decide the result.
   */
  readonly needsBody: boolean;
  /** Warnings about parts of the route that are valid but probably unintended. */
  readonly warnings: readonly Diagnostic[];
  /** Evaluates the condition for a message whose source matches. Never throws. */
  readonly evaluate: (subject: Subject) => ConditionResult;
};

/**
 * Compiles one route. The time is linear in the length of the text. If the route is invalid, returns a
 * diagnostic and throws no error.
 */
export function compileRoute(
  text: string,
  dialect: Dialect = 'skerry',
): { readonly route: Route } | { readonly diagnostic: Diagnostic } {
  try {
    return { route: compile(text, dialect) };
  } catch (error) {
    if (error instanceof RouteError) return { diagnostic: diagnosticOf(text, error) };
    throw error;
  }
}

function compile(text: string, dialect: Dialect): Route {
  if (text.length > MAX_ROUTE_LENGTH) {
    const span = { start: MAX_ROUTE_LENGTH, end: MAX_ROUTE_LENGTH + 1 };
    refuse(
      span,
      `a route may have at most ${MAX_ROUTE_LENGTH} characters, but this one has ${text.length}: split it`,
    );
  }
  const { tree, ignored } = parseRoute(text, dialect);
  const { condition } = tree;
  const checked = condition && { condition, dialect, facts: checkCondition(condition, dialect) };
  const partOf = checked && createParts(checked, createIdentities(), createWriter());
  return {
    text,
    dialect,
    tree,
    checked,
    needsBody: checked !== undefined && partOf?.(checked.condition).cost === BODY,
    warnings: [...warningsOfRest(text, ignored), ...warningsOfParts(text, checked, partOf)],
    evaluate: checked === undefined ? () => 'true' : evaluator(checked),
  };
}

function evaluator(checked: Checked): (subject: Subject) => ConditionResult {
  let truth: ((subject: Subject) => unknown) | undefined;
  return subject => {
    try {
      truth ??= compileTruth(checked);
      const value = truth(subject);
      return value === undefined ? 'undefined' : value === true ? 'true' : 'false';
    } catch {
      return 'error';
    }
  };
}

function compileTruth(checked: Checked): (subject: Subject) => unknown {
  const writer = createWriter();
  const identities = createIdentities();
  identities.add(checked.condition);
  const code = verdictCode(checked, identities, writer);
  return writer.finish(`return ${code};`);
}
