import type { ModuleStatus } from '../supervisor/spec.ts';

/** Restarts of one module after which its deployment is rolled back. */
const MAX_RESTARTS = 3;

/**
 * Health of a set of modules: all healthy after `restarts`; at least one unhealthy for good; or neither yet.
 */
export type ModulesHealth =
  | { readonly kind: 'healthy'; readonly restarts: number }
  | { readonly kind: 'unhealthy'; readonly reason: string }
  | { readonly kind: 'pending'; readonly waitsFor: string };

/** Restarts by module before a deployment; only later ones count against it. */
export type RestartBaseline = ReadonlyMap<string, number>;

export function restartBaselineOf(statuses: readonly ModuleStatus[]): RestartBaseline {
  return new Map(statuses.map(({ name, restarts }) => [name, restarts]));
}

/** Names of the modules that count, with whether the module has a health check. */
export type WatchedModules = ReadonlyMap<string, boolean>;

/**
 * Combined health of the modules in `watched`; others are ignored, because modules that are being stopped may
 * remain.
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

/** Last lines of a module's standard error in parentheses; empty if there are none. */
export function lastLinesOf({ lastLines }: Pick<ModuleStatus, 'lastLines'>): string {
  return lastLines.length === 0 ? '' : ` (stderr: ${lastLines.join(' / ')})`;
}

/** Reason why the last check of a module failed, after a colon; empty if it did not fail. */
function checkFailureOf({ checkFailure }: ModuleStatus): string {
  return checkFailure === undefined ? '' : `: ${withoutPeriod(checkFailure)}`;
}

function withoutPeriod(text: string): string {
  return text.replace(/\.$/, '');
}

/** State of a module that is not healthy yet; a running module with a health check is not ready. */
function pendingState(status: ModuleStatus): string {
  return status.state === 'running' ? `not ready${checkFailureOf(status)}` : status.state;
}
