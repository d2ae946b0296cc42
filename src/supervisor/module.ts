import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Cancel } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import { enter } from './cgroups/join-cgroup.ts';
import type { Confinement, Confiner } from './confinement/confine.ts';
import type { Health } from './health/health-monitor.ts';
import { watchModule } from './health/module-health.ts';
import type { LifecycleAction, LifecycleEvent } from './lifecycle.ts';
import { isSteady, stepOf } from './lifecycle.ts';
import { createLastLines } from './logs/last-lines.ts';
import { createLogFile } from './logs/log-file.ts';
import { moduleEnvironment } from './process/environment.ts';
import type { Exit } from './process/exit-status.ts';
import { describeExit, eventAfter } from './process/exit-status.ts';
import type { Begun } from './process/kill-failed-start.ts';
import { abandon } from './process/kill-failed-start.ts';
import { launch } from './process/launch.ts';
import type { Leftovers } from './process/orphans.ts';
import type { Fault } from './process/start-error.ts';
import { hindered } from './process/start-error.ts';
import { backoffAfter } from './restart-backoff.ts';
import type { Module, ModuleSpec, ModuleState, ModuleStatus, SupervisorSettings } from './spec.ts';
import { createIntake } from './stdio/message-intake.ts';
import type { Connection } from './stdio/process-io.ts';
import { connect, notTaken } from './stdio/process-io.ts';
import { createScreen } from './terminal/shared-terminal.ts';

/** States in which nobody need wait for a module to be ready. */
const SETTLED: ReadonlySet<ModuleState> = new Set(['ready', 'failed', 'ended', 'stopped']);

export type ModuleSettings = Pick<SupervisorSettings, 'clock' | 'log' | 'logFolder' | 'host'> & {
  readonly leftovers: Leftovers;
  readonly confiner: Confiner;
};

export function createModule(first: ModuleSpec, settings: ModuleSettings): Module {
  const { clock, log, host, leftovers, confiner } = settings;
  let spec = first;
  const { name } = spec;
  const screen = spec.tty ? createScreen(name, clock) : undefined;
  let state: ModuleState = 'stopped';
  let connection: Connection | undefined;
  let startedAt = 0;
  let ends = 0;
  let restarts = 0;
  let cutLines = 0;
  let lastExit: string | undefined;
  /** The hub's reason to end its process, if that is not a request. */
  let endCause: string | undefined;
  let checkFailure: string | undefined;
  let cancelTimer: Cancel | undefined;
  let waiters: (() => void)[] = [];
  let health: Health | undefined;
  let late = false;
  let confinement: Confinement | undefined;
  let environment: Record<string, string> = {};
  const isReady = Promise.withResolvers<void>();

  const pump = (): void => connection?.pump();
  const intake = createIntake(name, host, clock, log, pump);
  const lastLines = createLastLines();
  const logFile = createLogFile(join(settings.logFolder, `${name}.log`), clock, log, pump);

  const status = (): ModuleStatus => ({
    name,
    state,
    pid: connection?.pid,
    uptime: connection && clock.monotonic() - startedAt,
    restarts,
    lastExit,
    lastLines: lastLines.texts(),
    checkFailure,
    late,
    cutLines,
    printedLines: spec.io === 'lines' && !spec.tty ? intake.printed() : undefined,
    refusedLines: intake.refused(),
    lostLogLines: logFile.lost(),
    usage: confinement?.group?.usage() ?? {},
    notEnforced: confinement?.notEnforced ?? [],
  });

  const happen = (event: LifecycleEvent): void => {
    const { next, action } = stepOf(state, event);
    const changed = next !== state;
    state = next;
    act[action]();
    if (changed) host.changed({ name, state });
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

  const watch = (confined: Confinement): void => {
    health?.stop();
    checkFailure = undefined;
    health = watchModule({
      spec,
      confinement: confined,
      environment,
      leftovers,
      clock,
      log,
      checked: failure => {
        checkFailure = failure;
      },
      happened: event => {
        if (state !== 'running' && state !== 'ready') return;
        if (event === 'well') late = false;
        if (event === 'unhealthy') endCause = `failed its checks, the last one because ${checkFailure}`;
        happen(event);
      },
    });
  };

  const warn = (lack: string): void => log.warn(`Module "${name}" runs, but not enforced is ${lack}`);

  const refuse = ({ reason, passing }: Fault): void => {
    startedAt = clock.monotonic();
    lastExit = reason;
    log.error(`Module "${name}" cannot be started. ${reason}`);
    happen(passing ? eventAfter({ kind: 'code', code: 1 }, spec.restart) : 'refused');
  };

  /** Whether all of a process that was started is in its control group. */
  const entered = (
    { group, enters }: Confinement,
    followers: () => number[],
    pid: number,
  ): Promise<boolean> => {
    if (group === undefined || enters) return Promise.resolve(enters && group !== undefined);
    return enter(group, pid, followers).catch((error: unknown) => {
      log.warn(`Module "${name}" is not counted: ${reasonOf(error)}.`);
      return false;
    });
  };

  /** What feeds a module that is on its way down must not begin anew. */
  const tellWritable = (): void => {
    if (state === 'running' || state === 'ready') host.writable?.(name);
  };

  /** One process of the module, from its start to its end. */
  const run = async (): Promise<void> => {
    const begun = await begin().catch(hindered);
    if ('reason' in begun) {
      confiner.release(name);
      return refuse(begun);
    }
    const exit = await accompany(begun).catch((error: unknown) => {
      log.error(`Module "${name}" is killed, for the hub failed to see to it: ${reasonOf(error)}.`);
      return abandon(begun, connection, leftovers, log);
    });
    connection = undefined;
    health?.stop();
    leftovers.forget(begun.launched.pid);
    confiner.release(name);
    const starved = (begun.confined.group?.usage().oomKills ?? 0) > begun.oomKills;
    lastExit = describeExit(exit) + (starved ? ': its memory was at its limit' : '');
    if (endCause !== undefined) lastExit = `${endCause} (${lastExit})`;
    endCause = undefined;
    log.info(`Module "${name}" has ended: ${lastExit}.`);
    happen(eventAfter(exit, spec.restart));
  };

  const begin = async (): Promise<Begun | Fault> => {
    const confined = await confiner.confine(spec);
    if ('reason' in confined) return confined;
    if (confinement === undefined) for (const lack of confined.notEnforced) warn(lack);
    confinement = confined;
    const mark = leftovers.mark(name);
    environment = moduleEnvironment(confined.environment, mark.environment);
    const oomKills = confined.group?.usage().oomKills ?? 0;
    lastLines.clear();
    const launched = await launch(spec, confined, environment, { screen, clock });
    return 'reason' in launched ? launched : { confined, mark, environment, oomKills, launched };
  };

  const accompany = async ({ confined, mark, launched }: Begun): Promise<Exit> => {
    const { group } = confined;
    startedAt = clock.monotonic();
    intake.begin();
    const grouped = entered(confined, () => leftovers.followers(mark, launched.pid), launched.pid);
    leftovers.record(launched.pid);
    connection = connect(launched, {
      module: name,
      clock,
      log,
      messages: intake,
      countInput: host.countInput,
      logged: stream => (stream === 'out' ? logFile.sink(stream) : lastLines.through(logFile.sink(stream))),
      cut: () => {
        cutLines += 1;
      },
      writable: tellWritable,
      endOrphans: async () => {
        const whole = await grouped;
        if (group !== undefined) await leftovers.endGroup(group);
        if (!whole) await leftovers.endMarked(mark);
      },
    });
    log.info(`Module "${name}" runs, pid ${launched.pid}.`);
    happen('spawned');
    watch(confined);
    if (launched.input !== undefined) tellWritable();
    return connection.ended;
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
      const again = (): void => {
        restarts += 1;
        happen('due');
      };
      if (backoff.delay === 0) queueMicrotask(() => state === 'waiting' && again());
      else setTimer(backoff.delay, again);
    },
    rest: () => cancelTimer?.(),
    none: () => {},
  };

  return {
    spec: () => spec,
    adjust: wanted => {
      const checked = isDeepStrictEqual(spec.health, wanted.health);
      spec = wanted;
      if (confinement !== undefined) {
        confinement = { ...confinement, notEnforced: confiner.relimit(spec, confinement) };
        for (const lack of confinement.notEnforced) warn(lack);
      }
      if (checked || confinement === undefined) return;
      if (state === 'ready') happen('unwell');
      if (state === 'running') watch(confinement);
    },
    ask: wish => {
      ends = 0;
      if (wish === 'restart' && connection !== undefined)
        log.info(`Module "${name}" is restarted on request.`);
      happen(wish);
      if (isSteady(state)) return Promise.resolve();
      return new Promise(resolve => waiters.push(resolve));
    },
    write: (line, written) => {
      if (connection !== undefined) return connection.write(line, written);
      queueMicrotask(() => written(notTaken(name, `it is ${state}`)));
      return false;
    },
    attach: viewer => {
      if (screen !== undefined) return screen.attach(viewer);
      throw new Failure('usage', `Module "${name}" has no terminal: say "tty": true in the manifest.`);
    },
    status,
    identity: () => {
      const uid = confinement?.account?.uid;
      return { uid, sealed: uid !== undefined && spec.sandbox !== 'none' };
    },
    pids: () => {
      const inside = confinement?.group?.pids();
      return inside === undefined || connection === undefined ? inside : [...inside, connection.pid];
    },
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
    reportHealth: (well, reason) => health?.report(well, reason),
    close: logFile.close,
  };
}
