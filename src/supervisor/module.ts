import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Cancel } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import { moveIntoCgroup } from './cgroups/join-cgroup.ts';
import type { Confinement, Confiner } from './confinement/confine.ts';
import type { HealthMonitor } from './health/health-monitor.ts';
import { monitorModule } from './health/module-health.ts';
import type { LifecycleAction, LifecycleEvent } from './lifecycle.ts';
import { isSteady, transition } from './lifecycle.ts';
import { createLastLines } from './logs/last-lines.ts';
import { createLogFile } from './logs/log-file.ts';
import { moduleEnvironment } from './process/environment.ts';
import type { ExitStatus } from './process/exit-status.ts';
import { describeExit, eventAfterExit } from './process/exit-status.ts';
import type { StartedProcess } from './process/kill-failed-start.ts';
import { killFailedStart } from './process/kill-failed-start.ts';
import { launch } from './process/launch.ts';
import type { OrphanKiller } from './process/orphans.ts';
import type { StartError } from './process/start-error.ts';
import { startFailed } from './process/start-error.ts';
import { nextBackoff } from './restart-backoff.ts';
import type { Module, ModuleSpec, ModuleState, ModuleStatus, SupervisorSettings } from './spec.ts';
import { createMessageIntake } from './stdio/message-intake.ts';
import type { ProcessIo } from './stdio/process-io.ts';
import { lineNotWritten, openProcessIo } from './stdio/process-io.ts';
import { createSharedTerminal } from './terminal/shared-terminal.ts';

/** States of a module after which the startup continues with later modules in the startup order. */
const STARTUP_DONE: ReadonlySet<ModuleState> = new Set(['ready', 'failed', 'ended', 'stopped']);

export type ModuleSettings = Pick<SupervisorSettings, 'clock' | 'log' | 'logFolder' | 'host'> & {
  readonly orphans: OrphanKiller;
  readonly confiner: Confiner;
};

export function createModule(initialSpec: ModuleSpec, settings: ModuleSettings): Module {
  const { clock, log, host, orphans, confiner } = settings;
  let spec = initialSpec;
  const { name } = spec;
  const terminal = spec.tty ? createSharedTerminal(name, clock) : undefined;
  let state: ModuleState = 'stopped';
  let processIo: ProcessIo | undefined;
  let startedAt = 0;
  /** Number of exits in a row, each after a run that was too short to count as stable. */
  let ends = 0;
  let restarts = 0;
  let cutLines = 0;
  let lastExit: string | undefined;
  /** Reason why the hub restarts the module, such as a failed health check. Undefined for any other exit. */
  let endCause: string | undefined;
  let checkFailure: string | undefined;
  let cancelTimer: Cancel | undefined;
  let waiters: (() => void)[] = [];
  let health: HealthMonitor | undefined;
  /** True if the module is not ready, although `readyWithin` milliseconds have passed since its start. */
  let late = false;
  let confinement: Confinement | undefined;
  let environment: Record<string, string> = {};
  const startupDone = Promise.withResolvers<void>();

  const pump = (): void => processIo?.pump();
  const intake = createMessageIntake(name, host, clock, log, pump);
  const lastLines = createLastLines();
  const logFile = createLogFile(join(settings.logFolder, `${name}.log`), clock, log, pump);

  const status = (): ModuleStatus => ({
    name,
    state,
    pid: processIo?.pid,
    uptimeMs: processIo && clock.monotonic() - startedAt,
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

  const dispatch = (event: LifecycleEvent): void => {
    const { next, action } = transition(state, event);
    const changed = next !== state;
    state = next;
    actions[action]();
    if (changed) host.changed({ name, state });
    if (STARTUP_DONE.has(state)) startupDone.resolve();
    if (!isSteady(state)) return;
    const resolved = waiters;
    waiters = [];
    for (const resolve of resolved) resolve();
  };

  const setTimer = (milliseconds: number, action: () => void): void => {
    cancelTimer?.();
    cancelTimer = clock.after(milliseconds, action);
  };

  const watch = (confined: Confinement): void => {
    health?.stop();
    checkFailure = undefined;
    health = monitorModule({
      spec,
      confinement: confined,
      environment,
      orphans,
      clock,
      log,
      onChecked: failure => {
        checkFailure = failure;
      },
      onEvent: event => {
        if (state !== 'running' && state !== 'ready') return;
        if (event === 'healthy') late = false;
        if (event === 'unhealthyRestart') endCause = `unhealthy: ${checkFailure}`;
        dispatch(event);
      },
    });
  };

  const warn = (restriction: string): void =>
    log.warn(`Module "${name}" runs, but a configured restriction cannot be applied. ${restriction}`);

  const onStartError = ({ reason, transient }: StartError): void => {
    startedAt = clock.monotonic();
    lastExit = reason;
    log.error(`Module "${name}" failed to start: ${reason}`);
    dispatch(transient ? eventAfterExit({ kind: 'code', code: 1 }, spec.restart) : 'startFailed');
  };

  /**
   * Moves a started process into the module's cgroup. Resolves to true if all processes of the module are
   * certainly in the cgroup.
   */
  const joinCgroup = (
    { group, joinsItself }: Confinement,
    descendants: () => number[],
    pid: number,
  ): Promise<boolean> => {
    if (group === undefined || joinsItself) return Promise.resolve(joinsItself && group !== undefined);
    return moveIntoCgroup(group, pid, descendants).catch((error: unknown) => {
      log.warn(
        `Module "${name}" could not be moved into its cgroup, so its resources are not limited or counted: ${reasonOf(error)}.`,
      );
      return false;
    });
  };

  /** Notifies the hub that the module accepts input. Does nothing if the module is stopping. */
  const notifyWritable = (): void => {
    if (state === 'running' || state === 'ready') host.writable?.(name);
  };

  /** Starts one process of the module, and waits until it has exited. */
  const run = async (): Promise<void> => {
    const started = await start().catch(startFailed);
    if ('reason' in started) {
      confiner.release(name);
      return onStartError(started);
    }
    const exit = await supervise(started).catch((error: unknown) => {
      log.error(`Module "${name}" is killed because of an internal error: ${reasonOf(error)}.`);
      return killFailedStart(started, processIo, name, orphans, log);
    });
    processIo = undefined;
    health?.stop();
    orphans.forget(started.launched.pid);
    confiner.release(name);
    const oomKilled = (started.confined.group?.usage().oomKills ?? 0) > started.oomKills;
    lastExit = describeExit(exit) + (oomKilled ? ', OOM-killed at its memory limit' : '');
    if (endCause !== undefined) lastExit = `${endCause} (${lastExit})`;
    endCause = undefined;
    log.info(`Module "${name}" exited: ${lastExit}.`);
    dispatch(eventAfterExit(exit, spec.restart));
  };

  const start = async (): Promise<StartedProcess | StartError> => {
    const confined = await confiner.confine(spec);
    if ('reason' in confined) return confined;
    if (confinement === undefined) for (const restriction of confined.notEnforced) warn(restriction);
    confinement = confined;
    const tag = orphans.newTag(name);
    environment = moduleEnvironment(confined.environment, tag.environment);
    const oomKills = confined.group?.usage().oomKills ?? 0;
    lastLines.clear();
    const launched = await launch(spec, confined, environment, { terminal, clock });
    return 'reason' in launched ? launched : { confined, tag, environment, oomKills, launched };
  };

  const supervise = async ({ confined, tag, launched }: StartedProcess): Promise<ExitStatus> => {
    const { group } = confined;
    startedAt = clock.monotonic();
    intake.resetCount();
    const joined = joinCgroup(confined, () => orphans.taggedSince(tag, launched.pid), launched.pid);
    orphans.record(launched.pid);
    processIo = openProcessIo(launched, {
      module: name,
      clock,
      log,
      messages: intake,
      countInput: host.countInput,
      logged: stream => (stream === 'out' ? logFile.sink(stream) : lastLines.through(logFile.sink(stream))),
      cut: () => {
        cutLines += 1;
      },
      writable: notifyWritable,
      killOrphans: async () => {
        const complete = await joined;
        if (group !== undefined) await orphans.killCgroup(group);
        if (!complete) await orphans.killTagged(tag);
      },
    });
    log.info(`Module "${name}" started, pid ${launched.pid}.`);
    dispatch('spawned');
    watch(confined);
    if (launched.input !== undefined) notifyWritable();
    return processIo.ended;
  };

  const actions: Readonly<Record<LifecycleAction, () => void>> = {
    spawn: () => {
      cancelTimer?.();
      void run();
    },
    signal: () => {
      health?.stop();
      processIo?.signal(spec.stopSignal);
      setTimer(spec.stopGrace, () => dispatch('stopTimeout'));
    },
    kill: () => {
      log.warn(`Module "${name}" did not stop within ${spec.stopGrace} ms: sending SIGKILL.`);
      processIo?.signal('SIGKILL');
    },
    backOff: () => {
      const backoff = nextBackoff(ends, clock.monotonic() - startedAt, spec.backoff);
      ends = backoff.ends;
      log.warn(`Module "${name}" restarts in ${backoff.delay} ms (${lastExit}).`);
      const startAgain = (): void => {
        restarts += 1;
        dispatch('backoffOver');
      };
      if (backoff.delay === 0) queueMicrotask(() => state === 'waiting' && startAgain());
      else setTimer(backoff.delay, startAgain);
    },
    cancelTimer: () => cancelTimer?.(),
    none: () => {},
  };

  return {
    spec: () => spec,
    adjust: newSpec => {
      const checked = isDeepStrictEqual(spec.health, newSpec.health);
      spec = newSpec;
      if (confinement !== undefined) {
        confinement = { ...confinement, notEnforced: confiner.relimit(spec, confinement) };
        for (const restriction of confinement.notEnforced) warn(restriction);
      }
      if (checked || confinement === undefined) return;
      if (state === 'ready') dispatch('unhealthy');
      if (state === 'running') watch(confinement);
    },
    request: action => {
      ends = 0;
      if (action === 'restart' && processIo !== undefined) log.info(`Module "${name}" restarts on request.`);
      dispatch(action);
      if (isSteady(state)) return Promise.resolve();
      return new Promise(resolve => waiters.push(resolve));
    },
    write: (line, written) => {
      if (processIo !== undefined) return processIo.write(line, written);
      queueMicrotask(() => written(lineNotWritten(name, `the module is ${state}`)));
      return false;
    },
    attach: viewer => {
      if (terminal !== undefined) return terminal.attach(viewer);
      throw new Failure('usage', `Module "${name}" has no terminal: set "tty": true in the manifest.`);
    },
    status,
    identity: () => {
      const uid = confinement?.account?.uid;
      return { uid, uidFixed: uid !== undefined && spec.sandbox !== 'none' };
    },
    pids: () => {
      const inside = confinement?.group?.pids();
      return inside === undefined || processIo === undefined ? inside : [...inside, processIo.pid];
    },
    readiness: () => {
      if (spec.health === undefined) return Promise.resolve();
      const limit = spec.health.readyWithin;
      const cancel = clock.after(limit, () => {
        late = state !== 'ready';
        log.warn(`Module "${name}" is not ready after ${limit} ms: later modules start without waiting.`);
        startupDone.resolve();
      });
      return startupDone.promise.then(cancel);
    },
    reportHealth: (well, reason) => health?.report(well, reason),
    close: logFile.close,
  };
}
