import type { ModuleStatus } from '../../supervisor/spec.ts';

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

/** Judges modules together; `checked` are those with health checks. */
export function verdictOf(
  statuses: readonly ModuleStatus[],
  checked: ReadonlySet<string>,
  baseline: Baseline,
): Verdict {
  let pending: string | undefined;
  let all = 0;
  for (const status of statuses) {
    const before = baseline.get(status.name) ?? 0;
    const reason = badness(status, before);
    all += Math.max(0, status.restarts - before);
    if (reason !== undefined) return { kind: 'bad', reason: `Module "${status.name}" ${reason}.` };
    if (!isWell(status, checked.has(status.name))) pending ??= `module "${status.name}" is ${status.state}`;
  }
  return pending === undefined ? { kind: 'well', restarts: all } : { kind: 'pending', waitsFor: pending };
}

export function isWell({ state }: Pick<ModuleStatus, 'state'>, checked: boolean): boolean {
  return state === 'ready' || state === 'ended' || (state === 'running' && !checked);
}

function badness({ state, restarts, lastExit }: ModuleStatus, before: number): string | undefined {
  if (state === 'failed') return `has failed: ${withoutStop(lastExit ?? 'it has ended')}`;
  if (state === 'failing') return 'fails its checks';
  if (restarts - before < MOST_RESTARTS) return undefined;
  return `has ended ${restarts - before} times, the last time by ${lastExit ?? 'itself'}`;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
