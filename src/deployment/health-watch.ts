import type { Cancel, Clock } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import type { Verdict } from './module-health.ts';

export type WatchSettings = {
  readonly clock: Clock;
  readonly judge: () => Verdict;
  /** Calls when something may have changed; returns what ends that. */
  readonly listen: (changed: () => void) => () => void;
  /** Milliseconds that all must be well without a break, and within which that must be. */
  readonly healthyFor: number;
  readonly within: number;
  /** What is bad, or late, does not end it: it waits on. */
  readonly patient: boolean;
  readonly signal: AbortSignal;
};

/** Resolves when all are well and have been for long enough. Failure `deployment.unhealthy`; or the signal's reason. */
export function watchUntilWell(settings: WatchSettings): Promise<void> {
  const { clock, judge, listen, healthyFor, within, patient, signal } = settings;
  const late = patient ? Number.POSITIVE_INFINITY : clock.monotonic() + within;
  let wellSince: number | undefined;
  let cancel: Cancel | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();

  const look = (): void => {
    cancel?.();
    const now = clock.monotonic();
    const verdict = judge();
    if (verdict.kind === 'bad' && !patient) {
      reject(unhealthy(verdict.reason));
      return;
    }
    wellSince = verdict.kind === 'well' ? (wellSince ?? now) : undefined;
    // One that ends now and then must hold out longer than it did.
    const needed = healthyFor * (verdict.kind === 'well' ? 1 + verdict.restarts : 1);
    const next = Math.min(late, (wellSince ?? late) + needed);
    if (wellSince !== undefined && now - wellSince >= needed) resolve();
    else if (now >= late) reject(unhealthy(lateness(verdict, within)));
    else if (next < Number.POSITIVE_INFINITY) cancel = clock.after(next - now, look);
  };
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort);
  const deafen = listen(look);
  if (signal.aborted) abort();
  else look();
  return promise.finally(() => {
    cancel?.();
    deafen();
    signal.removeEventListener('abort', abort);
  });
}

function unhealthy(reason: string): Failure {
  return new Failure('deployment.unhealthy', reason);
}

function lateness(verdict: Verdict, within: number): string {
  const waited = verdict.kind === 'pending' ? verdict.waitsFor : 'it was not well for long enough';
  return `It was not healthy within ${within / 1000} s: ${waited}.`;
}
