import { MAX_LINK_STEPS } from './limits.ts';
import { partsOf } from './names.ts';

/** The target of the symbolic link at a path; undefined: there is none. */
type TargetOf = (path: string) => string | undefined;

/**
 * Whether what the link at `path` leads to is within its bundle. It is followed through other links as the system does
 * it: `d/..` is not where it stands if `d` is a link.
 */
export function whereLeads(
  path: string,
  target: string,
  targetOf: TargetOf,
): 'inside' | 'outside' | 'circle' {
  const reached = follow(partsOf(path).slice(0, -1), target, targetOf);
  return typeof reached === 'string' ? reached : 'inside';
}

/** The parts of the path that `target` leads to from the folder `folder`, with all links followed. */
export function follow(
  folder: readonly string[],
  target: string,
  targetOf: TargetOf,
): readonly string[] | 'outside' | 'circle' {
  const at = [...folder];
  const ahead = partsOf(target).reverse();
  for (let steps = 0; ; steps++) {
    const part = ahead.pop();
    if (part === undefined) return at;
    if (steps > MAX_LINK_STEPS) return 'circle';
    if (part === '..') {
      if (at.pop() === undefined) return 'outside';
      continue;
    }
    const next = targetOf([...at, part].join('/'));
    if (next === undefined) at.push(part);
    else ahead.push(...partsOf(next).reverse());
    if (ahead.length > MAX_LINK_STEPS) return 'circle';
  }
}
