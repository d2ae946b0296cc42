import type { Cancel, Clock } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import type { ModulesHealth } from './module-health.ts';

export type HealthWatchSettings = {
  readonly clock: Clock;
  readonly health: () => ModulesHealth;
  /** Registers a callback for changes of module states; returns a function that removes it. */
  readonly onStatusChange: (changed: () => void) => () => void;
  /** Milliseconds for which all modules must be healthy without interruption. */
  readonly healthyFor: number;
  /** Milliseconds until the watch fails. */
  readonly within: number;
  /** Keeps waiting for recovery after a failure or the deadline. */
  readonly keepWaiting: boolean;
  readonly signal: AbortSignal;
};

/**
 * Resolves when all modules were healthy for long enough. Failure `deployment.unhealthy`, or the signal's
 * reason.
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
    // A module that restarts now and then must stay healthy for longer.
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
