import type * as v from 'valibot';

/** What is wrong, and with which field. */
export type Complaint = { readonly path: readonly unknown[]; readonly complaint: string };

/** Where a value is of the wrong kind, it helps to hear of which it is. */
const KINDS = ['string', 'number', 'boolean', 'array'];

export function complaintOf(issue: v.BaseIssue<unknown>): Complaint {
  const inner = deepest(issue);
  const path = [...(issue.path ?? []), ...(inner === issue ? [] : (inner.path ?? []))].map(({ key }) => key);
  const isKind = inner.kind === 'schema' && KINDS.includes(inner.type);
  return { path, complaint: isKind ? `${inner.message}, and is ${kindOf(inner.input)}` : inner.message };
}

/** Of a union's branches, the complaint that went furthest into the value. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  let best: v.BaseIssue<unknown> | undefined;
  for (const branch of issue.issues ?? []) {
    if ((branch.path?.length ?? 0) > (best?.path?.length ?? 0)) best = branch;
  }
  return best ?? (issue.issues ?? []).find(({ kind }) => kind === 'validation') ?? issue;
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'a list';
  const kinds: Readonly<Record<string, string>> = { string: 'a text', number: 'a number' };
  return kinds[typeof value] ?? 'an object';
}
