import type { Cancel, Clock } from '../../core/clock.ts';
import { READY_CHECK_MS } from '../limits.ts';
import type { HealthSpec } from '../spec.ts';

/** Change of health: `healthy` after a successful check, `unhealthy` after `threshold` failures in a row. */
export type HealthEvent = 'healthy' | 'unhealthy';

/** Health check in progress. */
export type Probe = {
  /** Resolves to the reason of the failure, or to undefined on success. Never rejects. */
  readonly failure: Promise<string | undefined>;
  readonly cancel: () => void;
};

/** Health monitor of one process of a module. */
export type HealthMonitor = {
  /**
   * Handles a health report of the module. Does nothing if the hub checks the health of the module by a
   * probe.
   */
  readonly report: (healthy: boolean, reason?: string) => void;
  /** Stops the monitor and cancels a check in progress. */
  readonly stop: () => void;
};

export type HealthMonitorSettings = {
  readonly spec: HealthSpec;
  readonly clock: Clock;
  /** Starts one health check. Undefined if the module reports its health itself. */
  readonly probe: (() => Probe) | undefined;
  /** Called after each check with the reason of the failure, or with undefined on success. */
  readonly onChecked?: (failure: string | undefined) => void;
  readonly onEvent: (event: HealthEvent) => void;
};

/**
 * Checks the health of a module periodically, one check at a time. The interval is `spec.every`. While the
 * module is not healthy, the interval is at most READY_CHECK_MS. As long as no check has succeeded, failures
 * in the first `spec.readyWithin` milliseconds after the start are not counted.
 */
export function monitorHealth({
  spec,
  clock,
  probe,
  onChecked,
  onEvent,
}: HealthMonitorSettings): HealthMonitor {
  const startedAt = clock.monotonic();
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
    if (!healthy && clock.monotonic() - startedAt < spec.readyWithin) return;
    failures += counted;
    if (failures < spec.threshold) return;
    failures = 0;
    healthy = false;
    onEvent('unhealthy');
  };

  const check = async (startProbe: () => Probe): Promise<void> => {
    current = startProbe();
    handleResult(await current.failure, 1);
    if (stopped) return;
    const pause = healthy ? spec.every : Math.min(spec.every, READY_CHECK_MS);
    cancel = clock.after(pause, () => void check(startProbe));
  };

  /**
   * Starts the timer for the next health report of the module. If no report arrives in time, the missing
   * report counts as `threshold` failures.
   */
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
    report: (isHealthy, reason = 'the module reported that it is unhealthy') => {
      if (stopped || probe !== undefined) return;
      handleResult(isHealthy ? undefined : reason, 1);
      if (!stopped) expectReport(spec.every * spec.threshold);
    },
    stop: () => {
      stopped = true;
      cancel?.();
      current?.cancel();
    },
  };
}
