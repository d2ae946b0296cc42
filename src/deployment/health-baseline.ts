import type { Placed } from '../manifest/diff/plan.ts';
import { planOf } from '../manifest/diff/plan.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import { isHealthy, restartBaselineOf } from './module-health.ts';

/** Returns true if `target` has the same settings as `current`. */
export function isUnchanged(current: Placed, target: Placed): boolean {
  return planOf(current, target).steps.length === 0;
}

/**
 * Returns the state of the modules before a deployment. `baseline` contains the restart counts of modules
 * that keep running; only later restarts count as restarts of the deployment. `excluded` contains unchanged
 * modules that are already unhealthy; their health does not affect the result of the deployment.
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
  // A module can be excluded only if it is unchanged since the last finished deployment. A module that an
  // aborted deployment changed must become healthy.
  const keptSinceLast = lastFinished === undefined ? new Set<string>() : named(lastFinished, 'keep');
  // If the same manifest is applied again, no module is excluded: all modules must become healthy.
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
