import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { OrphanKiller } from '../process/orphans.ts';
import type { ModuleSpec, RestartPolicy } from '../spec.ts';
import type { HealthMonitor } from './health-monitor.ts';
import { monitorHealth } from './health-monitor.ts';
import { createProbe } from './probe.ts';

/** Restart policies under which an unhealthy module is restarted. */
const RESTARTED_IF_UNHEALTHY: ReadonlySet<RestartPolicy> = new Set(['always', 'on-unhealthy']);

export type ModuleHealthSettings = {
  readonly spec: ModuleSpec;
  readonly confinement: Confinement;
  readonly environment: Record<string, string>;
  readonly orphans: OrphanKiller;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each check with the reason of the failure, or with undefined on success. */
  readonly onChecked: (failure: string | undefined) => void;
  /** Called with an event of the module's state machine. */
  readonly onEvent: (event: 'healthy' | 'unhealthy' | 'unhealthyRestart') => void;
};

/**
 * Monitors the health of one process of a module. Logs a failed check if its reason differs from the reason
 * of the last failed check. Returns undefined if the module has no health check.
 */
export function monitorModule(settings: ModuleHealthSettings): HealthMonitor | undefined {
  const { spec, confinement, environment, orphans, clock, log, onChecked, onEvent } = settings;
  const { name: module, health, cwd } = spec;
  if (health === undefined) return undefined;
  let lastFailure: string | undefined;
  return monitorHealth({
    spec: health,
    clock,
    probe: createProbe(health, { module, cwd, environment, confinement, orphans, clock }),
    onChecked: failure => {
      if (failure !== undefined && failure !== lastFailure)
        log.warn(`Health check of module "${module}" failed: ${failure}`);
      lastFailure = failure;
      onChecked(failure);
    },
    onEvent: event => {
      const restarts = event === 'unhealthy' && RESTARTED_IF_UNHEALTHY.has(spec.restart);
      if (event === 'healthy') log.info(`Module "${module}" is ready.`);
      else log.warn(`Module "${module}" is unhealthy${restarts ? ': restarting' : ''}.`);
      onEvent(restarts ? 'unhealthyRestart' : event);
    },
  });
}
