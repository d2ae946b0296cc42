import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { OrphanKiller } from '../process/orphans.ts';
import type { ModuleSpec, RestartPolicy } from '../spec.ts';
import type { HealthMonitor } from './health-monitor.ts';
import { monitorHealth } from './health-monitor.ts';
import { createProbe } from './probe.ts';

/** Restart policies that restart an unhealthy module. */
const RESTARTED_IF_UNHEALTHY: ReadonlySet<RestartPolicy> = new Set(['always', 'on-unhealthy']);

export type ModuleHealthSettings = {
  readonly spec: ModuleSpec;
  readonly confinement: Confinement;
  readonly environment: Record<string, string>;
  readonly orphans: OrphanKiller;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each check with the reason of its failure, or undefined on success. */
  readonly onChecked: (failure: string | undefined) => void;
  /** Called with the event for the state machine. */
  readonly onEvent: (event: 'healthy' | 'unhealthy' | 'unhealthyRestart') => void;
};

/**
 * Monitors the health of one process of a module and logs each new failure reason. Undefined if the module
 * has no health check.
 */
export function monitorModule(settings: ModuleHealthSettings): HealthMonitor | undefined {
  const { spec, confinement, environment, orphans, clock, log, onChecked, onEvent } = settings;
  const { name: module, health, cwd } = spec;
  if (health === undefined) return undefined;
  let last: string | undefined;
  return monitorHealth({
    spec: health,
    clock,
    probe: createProbe(health, { module, cwd, environment, confinement, orphans, clock }),
    onChecked: failure => {
      if (failure !== undefined && failure !== last)
        log.warn(`Health check of module "${module}" failed: ${failure}`);
      last = failure;
      onChecked(failure);
    },
    onEvent: event => {
      const restarted = event === 'unhealthy' && RESTARTED_IF_UNHEALTHY.has(spec.restart);
      if (event === 'healthy') log.info(`Module "${module}" is ready.`);
      else log.warn(`Module "${module}" is unhealthy${restarted ? ': restarting' : ''}.`);
      onEvent(restarted ? 'unhealthyRestart' : event);
    },
  });
}
