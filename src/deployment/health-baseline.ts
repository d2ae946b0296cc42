import type { Placed } from '../manifest/diff/plan.ts';
import { planOf } from '../manifest/diff/plan.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import { baselineOf, isWell } from './module-health.ts';

/** Whether a manifest says what runs already. */
export function isSame(current: Placed, target: Placed): boolean {
  return planOf(current, target).steps.length === 0;
}

/** What modules that stay are not blamed for: ends of before, and having been unwell then. */
export function pastOf(
  settled: Placed | undefined,
  current: Placed,
  target: Placed,
  down: ReadonlySet<string>,
  statuses: readonly ModuleStatus[],
) {
  const named = (from: Placed, ...changes: readonly string[]): ReadonlySet<string> => {
    const concerned = planOf(from, target, down).modules.filter(({ change }) => changes.includes(change));
    return new Set(concerned.map(({ module }) => module));
  };
  const staying = named(current, 'keep', 'adjust');
  // What came with a change that never came to its end is no excuse for the next.
  const before = settled === undefined ? new Set<string>() : named(settled, 'keep');
  // Who applies what runs already asks for all of it.
  const kept = isSame(current, target)
    ? new Set<string>()
    : new Set([...named(current, 'keep')].filter(name => before.has(name)));
  const checked = new Set(current.manifest.modules.flatMap(({ name, health }) => (health ? [name] : [])));
  const unwell = statuses.filter(
    status => kept.has(status.name) && !isWell(status, checked.has(status.name)),
  );
  return {
    baseline: baselineOf(statuses.filter(({ name }) => staying.has(name))),
    spared: new Set(unwell.map(({ name }) => name)),
  };
}
