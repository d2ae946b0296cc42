import { refuse } from '../diagnostics.ts';
import type { TextSpan, TwinChange } from '../tree.ts';
import { parsePath } from './jsonpath.ts';

export const TWIN_CHANGE = 'twin_change_includes';

const PREFIXES = ['properties.reported.', 'properties.desired.', 'tags.'];

/** Parses the operand of `twin_change_includes`, a path without quotes. */
export function twinChange(path: string, span: TextSpan): TwinChange {
  const steps = parsePath(path, span);
  const known = PREFIXES.some(prefix => path.toLowerCase().startsWith(prefix));
  if (!known) refuse(span, `${path} is not a part of a twin`, { expected: `${PREFIXES.join('..., ')}...` });
  return { kind: 'twin', path: steps, ...span };
}
