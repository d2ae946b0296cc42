import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { containedClock } from '../core/containment.ts';
import { lockFolder, unwritableFolder } from '../core/files/folder-lock.ts';
import { useNativeFolder } from '../core/files/native.ts';
import { LOCK_TIMEOUT_MS } from '../core/limits.ts';
import type { LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import { limitLog } from '../core/logging/rate-limit.ts';
import type { Random } from '../core/random.ts';
import { VERSION } from '../core/version.ts';
import { createArtifacts } from '../deployment/artifacts.ts';
import { createDeploymentRunner } from '../deployment/deployment-runner.ts';
import { openDeploymentState } from '../deployment/deployment-state.ts';
import { createDeployments } from '../deployment/deployments.ts';
import { createManifestCache } from '../deployment/manifest-cache.ts';
import { openManifestFiles } from '../deployment/manifest-files.ts';
import { createManifestIntake } from '../deployment/manifest-intake.ts';
import { createPlanExecutor } from '../deployment/plan-executor.ts';
import { createSelfUpdate } from '../deployment/self-update.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { parseManifest } from '../manifest/read.ts';
import { openStore } from '../queue/store.ts';
import type { Launched } from '../self-update/launch.ts';
import { closeInheritedDescriptors } from '../supervisor/process/spawn.ts';
import { openComponents, statusOf } from './components.ts';
import { certificateStatuses } from './control/certificate-status.ts';
import { controlClients } from './control/client-control.ts';
import { controlPath, serveControl } from './control/control.ts';
import { controlQueues } from './control/queue-control.ts';
import { controlRoutes } from './control/route-control.ts';
import { followMachineTime, type MachineTime } from './downtime.ts';
import { loadAllocator, runtimeCollector, startMemoryKeeper } from './memory/keeper.ts';
import { memoryTotal } from './memory/total.ts';
import { writePidFile } from './pid-file.ts';
import { createPreflight } from './preflight.ts';
import { checkRoutes } from './routing/route-plan.ts';
import type { HubStatus } from './status.ts';
import { stepExecutor } from './step-actions.ts';
import { boundsOf } from './storage/bounds.ts';
import { openResources } from './storage/resources.ts';

/**
 * Options of `mkdir` for folders with messages, logs and sockets. Only the hub's user can enter these
 * folders.
 */
const PRIVATE = { recursive: true, mode: 0o700 };

export type HubSettings = {
  /** Absolute path of the manifest. Undefined if the hub runs the last applied manifest. */
  readonly file: string | undefined;
  readonly dataFolder: string;
  /**
   * Device name that the field `for` of a manifest must match. If undefined, the name in the current manifest
   * is used.
   */
  readonly device?: string | undefined;
  /**
   * Memory budget in bytes. If undefined, the budget is derived from the limit of the hub's cgroup or from
   * the machine's memory.
   */
  readonly memory?: number | undefined;
  readonly clock: Clock;
  /**
   * Reads the machine's clocks. If undefined, hub time (the hub's own clock for TTLs) does not advance by the
   * downtime.
   */
  readonly machineTime?: (() => MachineTime) | undefined;
  readonly random: Random;
  readonly logSink: LogSink;
  /** Name of the running hub binary (the installed binary or a self-update), and the pid of its watchdog. */
  readonly launched: Launched;
  /** Path of the running binary. Undefined if the hub runs from its sources. Sources cannot be updated. */
  readonly program: string | undefined;
};

export type Hub = {
  readonly status: () => HubStatus;
  /** Resolves when the hub must stop so that another hub binary can start (self-update or rollback). */
  readonly replaced: Promise<void>;
  /**
   * Stops the hub. Stops the modules first, so that their last output is stored. Then closes the store, and
   * releases the lock of the data folder last. Must be called once.
   */
  readonly stop: () => Promise<void>;
};

/**
 * Starts a hub: validates the manifest, locks the data folder, opens the store, opens the listeners and
 * starts the modules. If one of these steps fails, stops all components that have started, and throws the
 * error.
 */
export async function startHub(settings: HubSettings): Promise<Hub> {
  const { file, dataFolder } = settings;
  const { sink: logSink, report } = limitLog(settings.logSink, settings.clock);
  const log = logFor('hub', logSink);
  const clock = containedClock(settings.clock, log);
  const intake = createManifestIntake({ dataFolder, clock, device: settings.device });
  const given = file === undefined ? undefined : await intake.read(file);
  const closers: (() => unknown)[] = [report];
  const stop = (): Promise<void> => closeAll(closers);
  closeInheritedDescriptors();
  try {
    const lock = lockFolder(dataFolder, LOCK_TIMEOUT_MS);
    closers.push(lock.release, writePidFile(dataFolder, log));
    log.info(`Starting skerry ${VERSION} with the data folder ${dataFolder}.`);
    makeFolders(dataFolder, ['logs', 'run', 'deployments']);
    const files = openManifestFiles(join(dataFolder, 'deployments'));
    useNativeFolder(join(dataFolder, 'native'));
    const nothing = nothingPlaced();
    const resources = openResources(nothing.manifest);
    const memory = startMemoryKeeper({
      total: memoryTotal(settings.memory),
      clock,
      log,
      loadAllocator,
      collect: runtimeCollector(),
    });
    closers.push(memory.stop);
    const store = await openStore({
      ...boundsOf(nothing.manifest),
      maxPendingBytes: memory.budget.gathered,
      countRead: memory.countInput,
      folder: join(dataFolder, 'store'),
      clock,
      resources: resources.shares,
      log: logFor('queue', logSink),
    });
    closers.push(store.close);
    let advanced = (): void => {};
    const { machineTime } = settings;
    if (machineTime !== undefined)
      closers.push(followMachineTime(store, machineTime, { clock, log }, () => advanced()));

    const artifacts = createArtifacts({ folder: join(dataFolder, 'bundles'), clock, log });
    const parts = openComponents(
      { ...settings, clock, logSink, memory },
      store,
      resources,
      nothing.manifest,
      artifacts,
    );
    advanced = parts.broker.timeAdvanced;
    closers.push(parts.broker.close, parts.listening.stop, parts.upstreams.stop, parts.modules.stop);
    const state = openDeploymentState(store, files, log);
    const executor = createPlanExecutor(nothing, stepExecutor({ ...parts, log, artifacts }));
    const { statuses, watch: onStatusChange } = parts.modules;
    const replaced = Promise.withResolvers<void>();
    const { launched, program } = settings;
    const requestRestart = replaced.resolve;
    const selfUpdate = createSelfUpdate({ dataFolder, launched, program, artifacts, requestRestart });
    const manifests = createManifestCache(files);
    const runner = createDeploymentRunner({
      clock,
      log,
      state,
      manifests,
      executor,
      selfUpdate,
      preflight: createPreflight(artifacts),
      removeUnused: artifacts.removeUnused,
      statuses,
      onStatusChange,
    });
    const deployments = createDeployments({
      log,
      state,
      files,
      manifests,
      intake,
      checkRoutes,
      runner,
      selfUpdate,
      artifacts,
    });
    closers.push(deployments.stop);

    const status = (): HubStatus => {
      const hub = {
        version: VERSION,
        binary: launched.running,
        onTrial: selfUpdate.trial().kind === 'on-trial',
      };
      return {
        ...statusOf(parts, store, resources.shares),
        memory: memory.status(),
        hub,
        deployment: deployments.status(),
      };
    };
    const control = await serveControl(controlPath(dataFolder), {
      status,
      certificates: () => certificateStatuses(executor.current(), clock),
      deployments,
      supervisor: parts.modules,
      queues: controlQueues(store),
      clients: controlClients({ clock, store, broker: parts.broker.inspection }),
      routes: controlRoutes({ clock, store, routing: parts.routing.current }),
    });
    closers.push(control.close);
    await parts.modules.killOrphans();
    await deployments.start(given);
    parts.broker.begin();
    const { name, listeners } = status();
    log.info(`The hub "${name}" listens on ${listeners.join(', ') || 'no port'}.`);
    return { status, stop, replaced: replaced.promise };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Creates the folders `names` in the data folder. Throws Failure `data.unwritable`. */
function makeFolders(dataFolder: string, names: readonly string[]): void {
  try {
    for (const name of names) mkdirSync(join(dataFolder, name), PRIVATE);
  } catch (thrown) {
    throw unwritableFolder(dataFolder, thrown);
  }
}

/**
 * Calls the closers in reverse order. Continues after a closer has thrown, and throws the first error at the
 * end.
 */
async function closeAll(closers: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (thrown) {
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Returns the empty manifest of a hub before its first deployment. */
function nothingPlaced(): Placed {
  return { manifest: parseManifest('{"name":"skerry","listeners":[]}', 'nothing'), home: '/' };
}
