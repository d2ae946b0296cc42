import { refuse } from '../diagnostics.ts';
import type { PathStep, TextSpan } from '../tree.ts';
import { endOfDigits } from './digits.ts';

/** Characters that end a key, because they have a meaning in paths of Azure IoT Edge. */
const ENDS_KEY = new Set('.[]()<>@,;:\\"/?={}\t\n\r');

/**
 * Parses the steps of a path such as `a.b[0].c`. A key must not be a number. Several indexes can follow a
 * key.
 */
export function parsePath(path: string, span: TextSpan): readonly PathStep[] {
  const steps: PathStep[] = [];
  let at = 0;
  for (;;) {
    const key = endOfKey(path, at);
    if (key === at || endOfDigits(path, at) === key) return refusePath(path, span);
    steps.push(path.slice(at, key));
    at = key;
    while (path.charAt(at) === '[') {
      const digits = endOfDigits(path, at + 1);
      if (digits === at + 1 || path.charAt(digits) !== ']') return refusePath(path, span);
      steps.push(Number(path.slice(at + 1, digits)));
      at = digits + 1;
    }
    if (at === path.length) return steps;
    if (path.charAt(at) !== '.') return refusePath(path, span);
    at += 1;
  }
}

function endOfKey(path: string, start: number): number {
  let end = start;
  while (end < path.length && !ENDS_KEY.has(path.charAt(end))) end += 1;
  return end;
}

function refusePath(path: string, span: TextSpan): never {
  return refuse(span, `${path} is not a path`, { expected: 'keys and indexes, like a.b[0].c' });
}
