import { join } from 'node:path';
import type { Cancel } from '../core/clock.ts';
import { backoffAfter } from './backoff.ts';
import type { Connection } from './connection.ts';
import { connect, notTaken } from './connection.ts';
import { moduleEnvironment } from './environment.ts';
import { describeExit, eventAfter } from './exit.ts';
import type { Health } from './health.ts';
import { watchHealth } from './health.ts';
import { createIntake } from './intake.ts';
import type { Leftovers } from './leftovers.ts';
import type { LifecycleAction, LifecycleEvent } from './lifecycle.ts';
import { isSteady, stepOf } from './lifecycle.ts';
import { createLogFile } from './logfile.ts';
import { probeOf } from './probe.ts';
import { launch } from './process.ts';
import type { ModuleSpec, ModuleState, ModuleStatus, RestartPolicy, SupervisorSettings } from './spec.ts';

/** One module: the table of its life, carried out. */
export type Module = {
  readonly spec: ModuleSpec;
  /** Resolves when what was asked is done: it is down, or it runs, or it failed or ended meanwhile. */
  readonly ask: (wish: 'start' | 'stop' | 'restart') => Promise<void>;
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  readonly status: () => ModuleStatus;
  /** Resolves when those behind it in the start order need not wait for it any longer. */
  readonly readiness: () => Promise<void>;
  readonly reportHealth: (well: boolean) => void;
  /** Closes its log; only when it is down. */
  readonly close: () => Promise<void>;
};

/** States in which nobody need wait for a module to be ready. */
const SETTLED: ReadonlySet<ModuleState> = new Set(['ready', 'failed', 'ended', 'stopped']);

/** Policies that start a module anew that fails its checks. */
const RESTARTED_UNWELL: ReadonlySet<RestartPolicy> = new Set(['always', 'on-unhealthy']);

export type ModuleSettings = Pick<SupervisorSettings, 'clock' | 'log' | 'logFolder' | 'host'> & {
  readonly leftovers: Leftovers;
};

export function createModule(spec: ModuleSpec, settings: ModuleSettings): Module {
  const { clock, log, host, leftovers } = settings;
  const { name } = spec;
  let state: ModuleState = 'stopped';
  let connection: Connection | undefined;
  let startedAt = 0;
  let ends = 0;
  let restarts = 0;
  let cutLines = 0;
  let lastExit: string | undefined;
  let cancelTimer: Cancel | undefined;
  let waiters: (() => void)[] = [];
  let health: Health | undefined;
  let late = false;
  const isReady = Promise.withResolvers<void>();

  const pump = (): void => connection?.pump();
  const intake = createIntake(name, host, clock, log, pump);
  const logFile = createLogFile(join(settings.logFolder, `${name}.log`), clock, log, pump);

  const status = (): ModuleStatus => ({
    name,
    state,
    pid: connection?.pid,
    uptime: connection && clock.monotonic() - startedAt,
    restarts,
    lastExit,
    late,
    cutLines,
    refusedLines: intake.refused(),
    lostLogLines: logFile.lost(),
  });

  const happen = (event: LifecycleEvent): void => {
    const { next, action } = stepOf(state, event);
    const changed = next !== state;
    state = next;
    act[action]();
    if (changed) host.changed(status());
    if (SETTLED.has(state)) isReady.resolve();
    if (!isSteady(state)) return;
    const done = waiters;
    waiters = [];
    for (const resolve of done) resolve();
  };

  const setTimer = (milliseconds: number, action: () => void): void => {
    cancelTimer?.();
    cancelTimer = clock.after(milliseconds, action);
  };

  const watch = (environment: Record<string, string>): void => {
    if (spec.health === undefined) return;
    health = watchHealth({
      spec: spec.health,
      clock,
      probe: probeOf(spec.health, spec, environment, clock),
      happened: event => {
        if (state !== 'running' && state !== 'ready') return;
        if (event === 'well') {
          late = false;
          log.info(`Module "${name}" is ready.`);
          return happen('well');
        }
        const restarted = RESTARTED_UNWELL.has(spec.restart);
        log.warn(`Module "${name}" fails its checks${restarted ? ': it is started anew' : ''}.`);
        happen(restarted ? 'unhealthy' : 'unwell');
      },
    });
  };

  /** One process of the module, from its start to its end. */
  const run = async (): Promise<void> => {
    const environment = moduleEnvironment(spec.env, leftovers.environmentOf(name));
    const launched = await launch(spec, environment);
    startedAt = clock.monotonic();
    if ('reason' in launched) {
      lastExit = launched.reason;
      log.error(`Module "${name}" cannot be started. ${launched.reason}`);
      happen(launched.passing ? eventAfter({ kind: 'code', code: 1 }, spec.restart) : 'refused');
      return;
    }
    leftovers.record(launched.pid);
    connection = connect(launched, {
      module: name,
      clock,
      log,
      messages: intake,
      logged: logFile.sink,
      cut: () => {
        cutLines += 1;
      },
      writable: () => host.writable?.(name),
      endOrphans: () => leftovers.endOrphans(name),
    });
    log.info(`Module "${name}" runs, pid ${launched.pid}.`);
    happen('spawned');
    watch(environment);
    if (launched.input !== undefined) host.writable?.(name);
    const exit = await connection.ended;
    connection = undefined;
    health?.stop();
    leftovers.forget(launched.pid);
    lastExit = describeExit(exit);
    log.info(`Module "${name}" has ended: ${lastExit}.`);
    happen(eventAfter(exit, spec.restart));
  };

  const act: Readonly<Record<LifecycleAction, () => void>> = {
    spawn: () => {
      cancelTimer?.();
      void run();
    },
    signal: () => {
      health?.stop();
      connection?.signal(spec.stopSignal);
      setTimer(spec.stopGrace, () => happen('late'));
    },
    kill: () => {
      log.warn(`Module "${name}" did not go within ${spec.stopGrace} ms: it is killed.`);
      connection?.signal('SIGKILL');
    },
    wait: () => {
      const backoff = backoffAfter(ends, clock.monotonic() - startedAt, spec.backoff);
      ends = backoff.ends;
      log.warn(`Module "${name}" is started again in ${backoff.delay} ms (${lastExit}).`);
      setTimer(backoff.delay, () => {
        restarts += 1;
        happen('due');
      });
    },
    rest: () => cancelTimer?.(),
    none: () => {},
  };

  return {
    spec,
    ask: wish => {
      ends = 0;
      happen(wish);
      if (isSteady(state)) return Promise.resolve();
      return new Promise(resolve => waiters.push(resolve));
    },
    write: (line, written) => {
      if (connection !== undefined) return connection.write(line, written);
      queueMicrotask(() => written(notTaken(name, `it is ${state}`)));
      return false;
    },
    status,
    readiness: () => {
      if (spec.health === undefined) return Promise.resolve();
      const limit = spec.health.readyWithin;
      const cancel = clock.after(limit, () => {
        late = state !== 'ready';
        log.warn(`Module "${name}" is not ready after ${limit} ms: those behind it start without it.`);
        isReady.resolve();
      });
      return isReady.promise.then(cancel);
    },
    reportHealth: well => health?.report(well),
    close: logFile.close,
  };
}
