import type * as v from 'valibot';

/** Problem of one field. */
export type FieldProblem = { readonly path: readonly unknown[]; readonly problem: string };

/** Schema kinds for which the message adds the actual kind. */
const KINDS = ['string', 'number', 'boolean', 'array'];

export function problemOfIssue(issue: v.BaseIssue<unknown>): FieldProblem {
  const inner = deepest(issue);
  const path = [...(issue.path ?? []), ...(inner === issue ? [] : (inner.path ?? []))].map(({ key }) => key);
  const isKind = inner.kind === 'schema' && KINDS.includes(inner.type);
  return { path, problem: isKind ? `${inner.message}, and is ${kindOf(inner.input)}` : inner.message };
}

/** Returns the issue of the union branch that matched furthest. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  let best: v.BaseIssue<unknown> | undefined;
  for (const branch of issue.issues ?? []) {
    if ((branch.path?.length ?? 0) > (best?.path?.length ?? 0)) best = branch;
  }
  return best ?? (issue.issues ?? []).find(({ kind }) => kind === 'validation') ?? issue;
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'an array';
  const kinds: Readonly<Record<string, string>> = { string: 'a string', number: 'a number' };
  return kinds[typeof value] ?? 'an object';
}
