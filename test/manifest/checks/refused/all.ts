import type { Refused } from './entry.ts';
import { NAMES, REST } from './fields.ts';
import { MODULES } from './modules.ts';
import { TEXTS } from './texts.ts';
import { UPSTREAM } from './upstream.ts';

export const REFUSED: readonly Refused[] = [...NAMES, ...MODULES, ...REST, ...TEXTS, ...UPSTREAM];

export function textOf({ fields }: Refused): string {
  return typeof fields === 'string' ? fields : JSON.stringify({ name: 'a', ...fields });
}
