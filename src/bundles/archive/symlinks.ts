import { MAX_LINK_STEPS } from '../limits.ts';
import { pathParts } from './entry-names.ts';

/** Function that returns the target of the symbolic link at a path. Undefined if the path is no link. */
type TargetOf = (path: string) => string | undefined;

/**
 * Returns where the target of a symbolic link is: inside the bundle, outside, or nowhere because the links
 * form a circle. Resolves other links as the kernel does: if `d` is a link, `d/..` is the parent of the
 * target of `d`.
 */
export function linkDestination(
  path: string,
  target: string,
  targetOf: TargetOf,
): 'inside' | 'outside' | 'circle' {
  const reached = followLinks(pathParts(path).slice(0, -1), target, targetOf);
  return typeof reached === 'string' ? reached : 'inside';
}

/** Resolves `target` from the folder `folder`, following all links. Returns the parts of the path. */
export function followLinks(
  folder: readonly string[],
  target: string,
  targetOf: TargetOf,
): readonly string[] | 'outside' | 'circle' {
  const at = [...folder];
  const pending = pathParts(target).reverse();
  for (let steps = 0; ; steps++) {
    const part = pending.pop();
    if (part === undefined) return at;
    if (steps > MAX_LINK_STEPS) return 'circle';
    if (part === '..') {
      if (at.pop() === undefined) return 'outside';
      continue;
    }
    const next = targetOf([...at, part].join('/'));
    if (next === undefined) at.push(part);
    else pending.push(...pathParts(next).reverse());
    if (pending.length > MAX_LINK_STEPS) return 'circle';
  }
}
