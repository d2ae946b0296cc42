import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Confinement } from '../confinement/confine.ts';
import type { Leftovers } from '../process/orphans.ts';
import type { ModuleSpec, RestartPolicy } from '../spec.ts';
import type { Health } from './health-monitor.ts';
import { watchHealth } from './health-monitor.ts';
import { probeOf } from './probe.ts';

/** Policies that restart a module that fails its checks. */
const RESTARTED_UNWELL: ReadonlySet<RestartPolicy> = new Set(['always', 'on-unhealthy']);

export type ModuleHealthSettings = {
  readonly spec: ModuleSpec;
  readonly confinement: Confinement;
  readonly environment: Record<string, string>;
  readonly leftovers: Leftovers;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the reason of each check that fails, and undefined for one that does not. */
  readonly checked: (failure: string | undefined) => void;
  /** Takes what follows for the life of the module. */
  readonly happened: (event: 'well' | 'unwell' | 'unhealthy') => void;
};

/** Watches the health of one process of a module, and logs each new reason why it is not well; undefined: it has no checks. */
export function watchModule(settings: ModuleHealthSettings): Health | undefined {
  const { spec, confinement, environment, leftovers, clock, log, checked, happened } = settings;
  const { name: module, health, cwd } = spec;
  if (health === undefined) return undefined;
  let last: string | undefined;
  return watchHealth({
    spec: health,
    clock,
    probe: probeOf(health, { module, cwd, environment, confinement, leftovers, clock }),
    checked: failure => {
      if (failure !== undefined && failure !== last)
        log.warn(`A check of module "${module}" failed: ${failure}`);
      last = failure;
      checked(failure);
    },
    happened: event => {
      const restarted = event === 'unhealthy' && RESTARTED_UNWELL.has(spec.restart);
      if (event === 'well') log.info(`Module "${module}" is ready.`);
      else log.warn(`Module "${module}" fails its checks${restarted ? ': it is restarted' : ''}.`);
      happened(event === 'well' || restarted ? event : 'unwell');
    },
  });
}
