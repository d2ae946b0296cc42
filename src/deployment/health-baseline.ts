import type { Placed } from '../manifest/diff/plan.ts';
import { planOf } from '../manifest/diff/plan.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import { isHealthy, restartBaselineOf } from './module-health.ts';

/** True if `target` describes what already runs. */
export function isUnchanged(current: Placed, target: Placed): boolean {
  return planOf(current, target).steps.length === 0;
}

/**
 * Health of modules before a deployment, which must not count against it: restarts so far of the modules that
 * stay, and the names of unchanged modules that were unhealthy already.
 */
export function healthBaselineOf(
  lastFinished: Placed | undefined,
  current: Placed,
  target: Placed,
  down: ReadonlySet<string>,
  statuses: readonly ModuleStatus[],
) {
  const named = (from: Placed, ...changes: readonly string[]): ReadonlySet<string> => {
    const matching = planOf(from, target, down).modules.filter(({ change }) => changes.includes(change));
    return new Set(matching.map(({ module }) => module));
  };
  const staying = named(current, 'keep', 'adjust');
  // A module left over from an unfinished deployment is not excused in the next one.
  const keptSinceLast = lastFinished === undefined ? new Set<string>() : named(lastFinished, 'keep');
  // If the same manifest is applied again, every module must become healthy.
  const kept = isUnchanged(current, target)
    ? new Set<string>()
    : new Set([...named(current, 'keep')].filter(name => keptSinceLast.has(name)));
  const checked = new Set(current.manifest.modules.flatMap(({ name, health }) => (health ? [name] : [])));
  const unhealthy = statuses.filter(
    status => kept.has(status.name) && !isHealthy(status, checked.has(status.name)),
  );
  return {
    baseline: restartBaselineOf(statuses.filter(({ name }) => staying.has(name))),
    excluded: new Set(unhealthy.map(({ name }) => name)),
  };
}
