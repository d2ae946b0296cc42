import { refuse } from '../diagnostics.ts';
import type { Span, TwinChange } from '../tree.ts';
import { parsePath } from './jsonpath.ts';

export const TWIN_CHANGE = 'twin_change_includes';

const PREFIXES = ['properties.reported.', 'properties.desired.', 'tags.'];

/** The operand of `twin_change_includes`, which stands there as it is, without quotes. */
export function twinChange(path: string, span: Span): TwinChange {
  const steps = parsePath(path, span);
  const known = PREFIXES.some(prefix => path.toLowerCase().startsWith(prefix));
  if (!known) refuse(span, `${path} is not a part of a twin`, { expected: `${PREFIXES.join('..., ')}...` });
  return { kind: 'twin', path: steps, ...span };
}
