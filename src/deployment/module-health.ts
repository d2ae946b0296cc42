import type { ModuleStatus } from '../supervisor/spec.ts';

/** Number of restarts of one module after which the deployment is rolled back. */
const MAX_RESTARTS = 3;

/**
 * Health of a set of modules. `healthy`: all modules are healthy; `restarts` is their total number of
 * restarts. `unhealthy`: at least one module has failed. `pending`: some modules are not healthy yet.
 */
export type ModulesHealth =
  | { readonly kind: 'healthy'; readonly restarts: number }
  | { readonly kind: 'unhealthy'; readonly reason: string }
  | { readonly kind: 'pending'; readonly waitsFor: string };

/**
 * Restart counts before a deployment, by module name. Only restarts beyond these counts are restarts of the
 * deployment.
 */
export type RestartBaseline = ReadonlyMap<string, number>;

export function restartBaselineOf(statuses: readonly ModuleStatus[]): RestartBaseline {
  return new Map(statuses.map(({ name, restarts }) => [name, restarts]));
}

/** Modules whose health counts, by name. The value is true if the module has a health check. */
export type WatchedModules = ReadonlyMap<string, boolean>;

/**
 * Returns the combined health of the modules in `watched`. Ignores other modules, for example modules that
 * are still stopping.
 */
export function modulesHealth(
  statuses: readonly ModuleStatus[],
  watched: WatchedModules,
  baseline: RestartBaseline,
): ModulesHealth {
  const known = new Set(statuses.map(({ name }) => name));
  const missing = [...watched.keys()].find(name => !known.has(name));
  let pending = missing && `module "${missing}" is not started`;
  let totalRestarts = 0;
  for (const status of statuses) {
    const checked = watched.get(status.name);
    if (checked === undefined) continue;
    const before = baseline.get(status.name) ?? 0;
    const reason = failureReason(status, before);
    totalRestarts += Math.max(0, status.restarts - before);
    if (reason !== undefined) return { kind: 'unhealthy', reason: `Module "${status.name}" ${reason}.` };
    if (!isHealthy(status, checked)) pending ??= `module "${status.name}" is ${pendingState(status)}`;
  }
  return pending === undefined
    ? { kind: 'healthy', restarts: totalRestarts }
    : { kind: 'pending', waitsFor: pending };
}

export function isHealthy({ state }: Pick<ModuleStatus, 'state'>, checked: boolean): boolean {
  return state === 'ready' || state === 'ended' || (state === 'running' && !checked);
}

/** True if the module does not run and no restart is scheduled. */
export function isDown({ state }: Pick<ModuleStatus, 'state'>): boolean {
  return state === 'failed' || state === 'stopped' || state === 'stopping' || state === 'killing';
}

function failureReason(status: ModuleStatus, before: number): string | undefined {
  const { state, restarts, lastExit } = status;
  if (state === 'failed')
    return `has failed: ${withoutPeriod(lastExit ?? 'it has ended')}${lastLinesOf(status)}`;
  if (state === 'failing') return `fails its checks${checkFailureOf(status)}${lastLinesOf(status)}`;
  if (restarts - before < MAX_RESTARTS) return undefined;
  return `has ended ${restarts - before} times, the last time by ${lastExit ?? 'itself'}${lastLinesOf(status)}`;
}

/**
 * Returns the last lines of a module's standard error in parentheses. Returns an empty text if there are no
 * lines.
 */
export function lastLinesOf({ lastLines }: Pick<ModuleStatus, 'lastLines'>): string {
  return lastLines.length === 0 ? '' : ` (stderr: ${lastLines.join(' / ')})`;
}

/**
 * Returns a colon and the reason why the last health check failed. Returns an empty text if the check did not
 * fail.
 */
function checkFailureOf({ checkFailure }: ModuleStatus): string {
  return checkFailure === undefined ? '' : `: ${withoutPeriod(checkFailure)}`;
}

function withoutPeriod(text: string): string {
  return text.replace(/\.$/, '');
}

/** Returns a phrase for an error text: the state of a module that is not healthy yet. */
function pendingState(status: ModuleStatus): string {
  return status.state === 'running' ? `not ready${checkFailureOf(status)}` : status.state;
}
