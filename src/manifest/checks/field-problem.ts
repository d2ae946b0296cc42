import type * as v from 'valibot';

/** Problem of one field, with the path of the field. */
export type FieldProblem = { readonly path: readonly unknown[]; readonly problem: string };

/** Kinds of schemas for which the error also names the type of the wrong value. */
const KINDS = ['string', 'number', 'boolean', 'array'];

/** Returns the problem for an issue that valibot reports. */
export function problemOfIssue(issue: v.BaseIssue<unknown>): FieldProblem {
  const inner = deepest(issue);
  const path = [...(issue.path ?? []), ...(inner === issue ? [] : (inner.path ?? []))].map(({ key }) => key);
  const isKind = inner.kind === 'schema' && KINDS.includes(inner.type);
  return { path, problem: isKind ? `${inner.message}, and is ${kindOf(inner.input)}` : inner.message };
}

/** Returns the most specific issue of a union: the issue with the longest path. */
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
