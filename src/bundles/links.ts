import { MAX_LINK_STEPS } from '../core/bundle-limits.ts';
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
  const at = partsOf(path).slice(0, -1);
  const ahead = partsOf(target).reverse();
  for (let steps = 0; ; steps++) {
    const part = ahead.pop();
    if (part === undefined) return 'inside';
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
