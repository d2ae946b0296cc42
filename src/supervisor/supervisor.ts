import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../core/errors.ts';
import type { CgroupHierarchy } from './cgroups/hierarchy.ts';
import { openCgroupHierarchy } from './cgroups/hierarchy.ts';
import { createConfiner } from './confinement/confine.ts';
import { removeTmpfsFolders } from './confinement/tmpfs-folder.ts';
import { createWrapperProbe } from './confinement/wrapper-probe.ts';
import { createModule } from './module.ts';
import { createPeerFinder } from './peers/find-peer.ts';
import { moduleProcesses } from './peers/module-processes.ts';
import { createOrphanKiller, killUntilGone } from './process/orphans.ts';
import type { Module, ModuleSpec, Supervisor, SupervisorSettings } from './spec.ts';

/**
 * Creates the supervisor, which starts, monitors, restarts and stops modules. Each module is a native process
 * that leads a process group. When the leader exits, the whole group is killed. A child process can leave the
 * group, for example by `setsid`. Such a process is found by the module's cgroup or run tag.
 */
export function createSupervisor(settings: SupervisorSettings): Supervisor {
  const orphans = createOrphanKiller(settings.runFolder, settings.clock, settings.log);
  const { clock, runFolder, ownFolders, hiddenFolder: hidden, watchdog } = settings;
  // Name of the hub's cgroups. The name is derived from the path of the run folder, and is therefore unique
  // on this machine.
  const groupName = `skerry-${createHash('sha256').update(runFolder).digest('hex').slice(0, 12)}`;
  const modules = new Map<string, Module>();
  let openHierarchy: CgroupHierarchy | undefined;
  // The hierarchy is opened on first use, so that a hub without modules creates no cgroups.
  const hierarchy = (): CgroupHierarchy =>
    (openHierarchy ??= openCgroupHierarchy(groupName, '/proc', watchdog));
  const confiner = createConfiner({
    hierarchy,
    probe: createWrapperProbe(clock),
    ownFolders,
    hidden,
  });
  const processes = moduleProcesses(() => modules.values(), orphans.tagged);
  const findPeer = createPeerFinder({ processes, clock, log: settings.log });
  const removals = new Map<string, Promise<void>>();
  /**
   * Modules that are not started yet, because an earlier module with the same name is still being removed.
   */
  const pendingStarts = new Map<string, { spec: ModuleSpec }>();
  let stopped: Promise<void> | undefined;

  const moduleOf = (name: string): Module => {
    const module = modules.get(name);
    if (module !== undefined) return module;
    throw new Failure('module.unknown', `Unknown module "${name}": run "skerry ps" to list the modules.`);
  };

  const refuseIfStopping = (name: string): void => {
    if (stopped === undefined) return;
    throw new Failure('module.exec', `Cannot start module "${name}": the hub is shutting down.`);
  };

  const removeModule = async (module: Module): Promise<void> => {
    const { name } = module.spec();
    try {
      await module.request('stop');
      await module.close();
    } finally {
      modules.delete(name);
      removals.delete(name);
    }
  };

  const stopAll = async (): Promise<void> => {
    for (const group of inStartupOrder(modules.values()).reverse()) {
      await Promise.all(group.map(module => module.request('stop')));
    }
    await Promise.all([...modules.values()].map(module => module.close()));
    removeTmpfsFolders(hidden);
    if (openHierarchy === undefined) return;
    await Promise.all(openHierarchy.groups().map(group => killUntilGone(group.remove, clock)));
    openHierarchy.close();
  };

  return {
    killOrphans: async () => {
      const wasRunning = await orphans.killFromLastRun();
      removeTmpfsFolders(hidden);
      // Older versions of the hub stored secrets in this folder on the disk. The folder is therefore removed.
      rmSync(join(hidden, 'secrets'), { recursive: true, force: true });
      if (!wasRunning) return;
      for (const group of hierarchy().groups()) {
        await killUntilGone(group.kill, clock);
        await killUntilGone(group.remove, clock);
      }
    },
    start: async specs => {
      // If a module with the same name is being removed, the new module is started after the removal. If
      // `remove` is called for this name before the start, the new module is not started.
      const requests = specs.map(spec => ({ spec }));
      for (const request of requests) pendingStarts.set(request.spec.name, request);
      await Promise.all(specs.map(({ name }) => removals.get(name)));
      const current = requests.filter(request => pendingStarts.get(request.spec.name) === request);
      const added = current.map(({ spec }) => {
        pendingStarts.delete(spec.name);
        const module = createModule(spec, { ...settings, orphans, confiner });
        modules.set(spec.name, module);
        return module;
      });
      for (const group of inStartupOrder(added)) {
        if (stopped !== undefined) return;
        const remaining = group.filter(module => modules.get(module.spec().name) === module);
        await Promise.all(remaining.map(module => module.request('start')));
        await Promise.all(remaining.map(module => module.readiness()));
      }
    },
    adjust: spec => {
      const request = pendingStarts.get(spec.name);
      if (request === undefined) moduleOf(spec.name).adjust(spec);
      else request.spec = spec;
    },
    remove: name => {
      pendingStarts.delete(name);
      const module = modules.get(name);
      if (module === undefined) return Promise.resolve();
      const removal = removals.get(name) ?? removeModule(module);
      removals.set(name, removal);
      return removal;
    },
    reportHealth: (name, well, reason) => modules.get(name)?.reportHealth(well, reason),
    stop: () => {
      stopped ??= stopAll();
      return stopped;
    },
    stopModule: async name => moduleOf(name).request('stop'),
    startModule: async name => {
      const module = moduleOf(name);
      refuseIfStopping(name);
      await module.request('start');
    },
    restart: async name => {
      const module = moduleOf(name);
      refuseIfStopping(name);
      await module.request('restart');
    },
    attach: (name, viewer) => moduleOf(name).attach(viewer),
    findPeer,
    statuses: () => [...modules.values()].map(module => module.status()),
    write: (name, line, written) => moduleOf(name).write(line, written),
  };
}

/** Returns the modules in groups with the same `startupOrder`. The group with the lowest number is first. */
function inStartupOrder(modules: Iterable<Module>): Module[][] {
  const groups = Map.groupBy(modules, module => module.spec().startupOrder);
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group);
}
