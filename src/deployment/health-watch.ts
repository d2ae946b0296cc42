import type { Cancel, Clock } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import type { ModulesHealth } from './module-health.ts';

export type HealthWatchSettings = {
  readonly clock: Clock;
  readonly health: () => ModulesHealth;
  /** Registers a callback for changes of module states. Returns a function that removes the callback. */
  readonly onStatusChange: (changed: () => void) => () => void;
  /** Milliseconds for which all modules must be healthy without interruption. */
  readonly healthyFor: number;
  /**
   * Maximum milliseconds of the watch. The watch fails if the modules have not been healthy for `healthyFor`
   * by then.
   */
  readonly within: number;
  /**
   * True if the watch never fails. It then ignores failures and the deadline `within`, and waits until the
   * modules are healthy.
   */
  readonly keepWaiting: boolean;
  readonly signal: AbortSignal;
};

/**
 * Waits until all modules have been healthy for `healthyFor` milliseconds. Rejects with Failure
 * `deployment.unhealthy`, or with the signal's reason.
 */
export function watchUntilHealthy(settings: HealthWatchSettings): Promise<void> {
  const { clock, health, onStatusChange, healthyFor, within, keepWaiting, signal } = settings;
  const deadline = keepWaiting ? Number.POSITIVE_INFINITY : clock.monotonic() + within;
  let healthySince: number | undefined;
  let cancel: Cancel | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();

  const check = (): void => {
    cancel?.();
    const now = clock.monotonic();
    const current = health();
    if (current.kind === 'unhealthy' && !keepWaiting) {
      reject(unhealthy(current.reason));
      return;
    }
    healthySince = current.kind === 'healthy' ? (healthySince ?? now) : undefined;
    // The required time grows with each restart, because a module that restarts again and again is not
    // healthy.
    const needed = healthyFor * (current.kind === 'healthy' ? 1 + current.restarts : 1);
    const next = Math.min(deadline, (healthySince ?? deadline) + needed);
    if (healthySince !== undefined && now - healthySince >= needed) resolve();
    else if (now >= deadline) reject(unhealthy(deadlineReason(current, within)));
    else if (next < Number.POSITIVE_INFINITY) cancel = clock.after(next - now, check);
  };
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort);
  const unsubscribe = onStatusChange(check);
  if (signal.aborted) abort();
  else check();
  return promise.finally(() => {
    cancel?.();
    unsubscribe();
    signal.removeEventListener('abort', abort);
  });
}

function unhealthy(reason: string): Failure {
  return new Failure('deployment.unhealthy', reason);
}

function deadlineReason(current: ModulesHealth, within: number): string {
  const waited = current.kind === 'pending' ? current.waitsFor : 'it was not healthy for long enough';
  return `It was not healthy within ${within / 1000} s: ${waited}.`;
}
