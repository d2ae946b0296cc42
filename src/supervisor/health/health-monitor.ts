import type { Cancel, Clock } from '../../core/clock.ts';
import { READY_CHECK_MS } from '../limits.ts';
import type { HealthSpec } from '../spec.ts';

/** Health transition: `healthy` after a successful check, `unhealthy` after `threshold` failures in a row. */
export type HealthEvent = 'healthy' | 'unhealthy';

/** Health check in progress. */
export type Probe = {
  /** Resolves to the reason of a failure, or to undefined on success. Never rejects. */
  readonly failure: Promise<string | undefined>;
  /** Cancels the check. */
  readonly cancel: () => void;
};

/** Health monitor of one process of a module. */
export type HealthMonitor = {
  /** Reports the health from outside. Ignored if the monitor has a probe. */
  readonly report: (healthy: boolean, reason?: string) => void;
  /** Stops the monitor and cancels a check in progress. */
  readonly stop: () => void;
};

export type HealthMonitorSettings = {
  readonly spec: HealthSpec;
  readonly clock: Clock;
  /** Starts one check. Undefined if health is only reported. */
  readonly probe: (() => Probe) | undefined;
  /** Called after each check with the reason of its failure, or undefined on success. */
  readonly onChecked?: (failure: string | undefined) => void;
  readonly onEvent: (event: HealthEvent) => void;
};

/**
 * Checks the health of a module periodically, one check at a time: with READY_CHECK_MS until it is healthy
 * for the first time, then every `spec.every`. Failures before `spec.readyWithin` do not count.
 */
export function monitorHealth({
  spec,
  clock,
  probe,
  onChecked,
  onEvent,
}: HealthMonitorSettings): HealthMonitor {
  const begun = clock.monotonic();
  let stopped = false;
  let healthy = false;
  let failures = 0;
  let cancel: Cancel | undefined;
  let current: Probe | undefined;

  const handleResult = (failure: string | undefined, counted: number): void => {
    if (stopped) return;
    onChecked?.(failure);
    if (failure === undefined) {
      failures = 0;
      if (!healthy) onEvent('healthy');
      healthy = true;
      return;
    }
    if (!healthy && clock.monotonic() - begun < spec.readyWithin) return;
    failures += counted;
    if (failures < spec.threshold) return;
    failures = 0;
    healthy = false;
    onEvent('unhealthy');
  };

  const check = async (begin: () => Probe): Promise<void> => {
    current = begin();
    handleResult(await current.failure, 1);
    if (stopped) return;
    const pause = healthy ? spec.every : Math.min(spec.every, READY_CHECK_MS);
    cancel = clock.after(pause, () => void check(begin));
  };

  /** Missing reports for `threshold` intervals count as `threshold` failures. */
  const expectReport = (milliseconds: number): void => {
    cancel?.();
    cancel = clock.after(milliseconds, () => {
      handleResult(`no health report for ${milliseconds / 1000} s`, spec.threshold);
      if (!stopped) expectReport(spec.every * spec.threshold);
    });
  };

  if (probe !== undefined) void check(probe);
  else expectReport(spec.readyWithin + spec.every * spec.threshold);
  return {
    report: (ok, reason = 'it reported itself unhealthy') => {
      if (stopped || probe !== undefined) return;
      handleResult(ok ? undefined : reason, 1);
      if (!stopped) expectReport(spec.every * spec.threshold);
    },
    stop: () => {
      stopped = true;
      cancel?.();
      current?.cancel();
    },
  };
}
