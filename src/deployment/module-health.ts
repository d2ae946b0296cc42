import type { ModuleStatus } from '../supervisor/spec.ts';

/** Times that a module may end and be started again before its deployment is given up. */
const MOST_RESTARTS = 3;

/** How a set of modules is: all well, after so many restarts; one that will not become so, and why; or neither yet. */
export type Verdict =
  | { readonly kind: 'well'; readonly restarts: number }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'pending'; readonly waitsFor: string };

/** What counted before: only what came since is held against a deployment. */
export type Baseline = ReadonlyMap<string, number>;

export function baselineOf(statuses: readonly ModuleStatus[]): Baseline {
  return new Map(statuses.map(({ name, restarts }) => [name, restarts]));
}

/** Who is judged, by name, and whether its health is checked. */
export type Judged = ReadonlyMap<string, boolean>;

/** Judges modules together; others are not looked at: some that have been told to go may still be there. */
export function verdictOf(statuses: readonly ModuleStatus[], judged: Judged, baseline: Baseline): Verdict {
  const known = new Set(statuses.map(({ name }) => name));
  const awaited = [...judged.keys()].find(name => !known.has(name));
  let pending = awaited && `module "${awaited}" is not started`;
  let all = 0;
  for (const status of statuses) {
    const checked = judged.get(status.name);
    if (checked === undefined) continue;
    const before = baseline.get(status.name) ?? 0;
    const reason = badness(status, before);
    all += Math.max(0, status.restarts - before);
    if (reason !== undefined) return { kind: 'bad', reason: `Module "${status.name}" ${reason}.` };
    if (!isWell(status, checked)) pending ??= `module "${status.name}" is ${awaitedOf(status)}`;
  }
  return pending === undefined ? { kind: 'well', restarts: all } : { kind: 'pending', waitsFor: pending };
}

export function isWell({ state }: Pick<ModuleStatus, 'state'>, checked: boolean): boolean {
  return state === 'ready' || state === 'ended' || (state === 'running' && !checked);
}

/** Whether it stays as it is until somebody starts it, though it should run. */
export function isDown({ state }: Pick<ModuleStatus, 'state'>): boolean {
  return state === 'failed' || state === 'stopped' || state === 'stopping' || state === 'killing';
}

function badness(status: ModuleStatus, before: number): string | undefined {
  const { state, restarts, lastExit } = status;
  if (state === 'failed')
    return `has failed: ${withoutStop(lastExit ?? 'it has ended')}${lastLinesOf(status)}`;
  if (state === 'failing') return `fails its checks${checkFailureOf(status)}${lastLinesOf(status)}`;
  if (restarts - before < MOST_RESTARTS) return undefined;
  const times = restarts - before;
  return `has ended ${times} times, the last time by ${lastExit ?? 'itself'}${lastLinesOf(status)}`;
}

/** What a module wrote last to standard error, in brackets; empty if it wrote nothing. */
export function lastLinesOf({ lastLines }: Pick<ModuleStatus, 'lastLines'>): string {
  return lastLines.length === 0 ? '' : ` (stderr: ${lastLines.join(' / ')})`;
}

/** Reason why the last check of a module failed, after a colon; empty if it did not fail. */
function checkFailureOf({ checkFailure }: ModuleStatus): string {
  return checkFailure === undefined ? '' : `: ${withoutStop(checkFailure)}`;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

/** What is checked and runs is not ready, be it that it was before. */
function awaitedOf(status: ModuleStatus): string {
  return status.state === 'running' ? `not ready${checkFailureOf(status)}` : status.state;
}
