import type { Cancel, Clock } from '../../core/clock.ts';
import { READY_CHECK } from '../../core/limits.ts';
import type { HealthSpec } from '../spec.ts';

/** What becomes of a module by its checks: it is well, it no longer is, or it has failed too often in a row. */
export type HealthEvent = 'well' | 'unhealthy';

/** One look at a module. */
export type Probe = {
  /** Reason why it is not well; undefined: it is. Never rejects. */
  readonly failure: Promise<string | undefined>;
  /** Breaks it off. */
  readonly end: () => void;
};

/** A watch over one process of a module. */
export type Health = {
  /** The module, or whoever knows, says how it is. */
  readonly report: (well: boolean, reason?: string) => void;
  /** Ends the watch, and a look that is under way. */
  readonly stop: () => void;
};

export type HealthSettings = {
  readonly spec: HealthSpec;
  readonly clock: Clock;
  /** Looks once; undefined: it is told by `report` alone. */
  readonly probe: (() => Probe) | undefined;
  /** Takes the reason of each check that fails, and undefined for one that does not. */
  readonly checked?: (failure: string | undefined) => void;
  readonly happened: (event: HealthEvent) => void;
};

/**
 * Checks a module again and again, one check at a time: often until it is well for the first time, then every
 * `spec.every`. It has until `spec.readyWithin` to become well: failures before do not count.
 */
export function watchHealth({ spec, clock, probe, checked, happened }: HealthSettings): Health {
  const begun = clock.monotonic();
  let stopped = false;
  let well = false;
  let failures = 0;
  let cancel: Cancel | undefined;
  let looking: Probe | undefined;

  const hear = (failure: string | undefined, counted: number): void => {
    if (stopped) return;
    checked?.(failure);
    if (failure === undefined) {
      failures = 0;
      if (!well) happened('well');
      well = true;
      return;
    }
    if (!well && clock.monotonic() - begun < spec.readyWithin) return;
    failures += counted;
    if (failures < spec.threshold) return;
    failures = 0;
    well = false;
    happened('unhealthy');
  };

  const look = async (begin: () => Probe): Promise<void> => {
    looking = begin();
    hear(await looking.failure, 1);
    if (stopped) return;
    const pause = well ? spec.every : Math.min(spec.every, READY_CHECK);
    cancel = clock.after(pause, () => void look(begin));
  };

  /** Who says nothing for as long as a threshold of checks would have taken has failed them all. */
  const awaitReport = (milliseconds: number): void => {
    cancel?.();
    cancel = clock.after(milliseconds, () => {
      hear(`it has not said how it is for ${milliseconds / 1000} s`, spec.threshold);
      if (!stopped) awaitReport(spec.every * spec.threshold);
    });
  };

  if (probe !== undefined) void look(probe);
  else awaitReport(spec.readyWithin + spec.every * spec.threshold);
  return {
    report: (good, reason = 'it said that it is not well') => {
      if (stopped || probe !== undefined) return;
      hear(good ? undefined : reason, 1);
      if (!stopped) awaitReport(spec.every * spec.threshold);
    },
    stop: () => {
      stopped = true;
      cancel?.();
      looking?.end();
    },
  };
}
