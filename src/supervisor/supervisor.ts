import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../core/errors.ts';
import type { Hierarchy } from './cgroups/hierarchy.ts';
import { openHierarchy } from './cgroups/hierarchy.ts';
import { createConfiner } from './confinement/confine.ts';
import { removeMemoryFolders } from './confinement/tmpfs-folder.ts';
import { createProbe } from './confinement/wrapper-probe.ts';
import { createModule } from './module.ts';
import { createPeers } from './peers/find-peer.ts';
import { processesOf } from './peers/module-processes.ts';
import { createLeftovers, strikeAll } from './process/orphans.ts';
import type { Module, ModuleSpec, Supervisor, SupervisorSettings } from './spec.ts';

/**
 * Keeps modules running: native processes, each the leader of a process group that is ended as a whole, also when
 * only the leader ended. A child that made a session of its own (`setsid`, a double-forking daemon) leaves the group
 * and is found in its control group, or by the mark in its environment.
 */
export function createSupervisor(settings: SupervisorSettings): Supervisor {
  const leftovers = createLeftovers(settings.runFolder, settings.clock, settings.log);
  const { clock, runFolder, ownFolders, hiddenFolder: hidden, guard } = settings;
  // Of its control groups and its folder in memory: another hub of this machine has another run folder.
  const groupName = `skerry-${createHash('sha256').update(runFolder).digest('hex').slice(0, 12)}`;
  const modules = new Map<string, Module>();
  let opened: Hierarchy | undefined;
  // Opened when the first module is there: a mere broker pays nothing for it.
  const hierarchy = (): Hierarchy => (opened ??= openHierarchy(groupName, '/proc', guard));
  const confiner = createConfiner({
    hierarchy,
    probe: createProbe(clock),
    ownFolders,
    hidden,
  });
  const processes = processesOf(() => modules.values(), leftovers.marked);
  const findPeer = createPeers({ processes, clock, log: settings.log });
  const leaving = new Map<string, Promise<void>>();
  /** Modules that are to be started once who had their name is gone. */
  const awaited = new Map<string, { spec: ModuleSpec }>();
  let stopped: Promise<void> | undefined;

  const moduleOf = (name: string): Module => {
    const module = modules.get(name);
    if (module !== undefined) return module;
    throw new Failure(
      'module.unknown',
      `There is no module "${name}": see the list of modules for the names.`,
    );
  };

  const refuseWhenStopped = (name: string): void => {
    if (stopped === undefined) return;
    throw new Failure('module.exec', `Module "${name}" is not started: the hub is stopping.`);
  };

  const leave = async (module: Module): Promise<void> => {
    const { name } = module.spec();
    try {
      await module.ask('stop');
      await module.close();
    } finally {
      modules.delete(name);
      leaving.delete(name);
    }
  };

  const stopAll = async (): Promise<void> => {
    for (const group of inStartupOrder(modules.values()).reverse()) {
      await Promise.all(group.map(module => module.ask('stop')));
    }
    await Promise.all([...modules.values()].map(module => module.close()));
    removeMemoryFolders(hidden);
    if (opened === undefined) return;
    await Promise.all(opened.groups().map(group => strikeAll(group.remove, clock)));
    opened.close();
  };

  return {
    takeDownLeft: async () => {
      const wasRunning = await leftovers.takeDown();
      removeMemoryFolders(hidden);
      // Where older versions kept secrets: on flash.
      rmSync(join(hidden, 'secrets'), { recursive: true, force: true });
      if (!wasRunning) return;
      for (const group of hierarchy().groups()) {
        await strikeAll(group.kill, clock);
        await strikeAll(group.remove, clock);
      }
    },
    start: async specs => {
      // Who comes back is started when who was there has gone, unless he is removed meanwhile.
      const places = specs.map(spec => ({ spec }));
      for (const place of places) awaited.set(place.spec.name, place);
      await Promise.all(specs.map(({ name }) => leaving.get(name)));
      const wanted = places.filter(place => awaited.get(place.spec.name) === place);
      const taken = wanted.map(({ spec }) => {
        awaited.delete(spec.name);
        const module = createModule(spec, { ...settings, leftovers, confiner });
        modules.set(spec.name, module);
        return module;
      });
      for (const group of inStartupOrder(taken)) {
        if (stopped !== undefined) return;
        const staying = group.filter(module => modules.get(module.spec().name) === module);
        await Promise.all(staying.map(module => module.ask('start')));
        await Promise.all(staying.map(module => module.readiness()));
      }
    },
    adjust: spec => {
      const place = awaited.get(spec.name);
      if (place === undefined) moduleOf(spec.name).adjust(spec);
      else place.spec = spec;
    },
    remove: name => {
      awaited.delete(name);
      const module = modules.get(name);
      if (module === undefined) return Promise.resolve();
      const left = leaving.get(name) ?? leave(module);
      leaving.set(name, left);
      return left;
    },
    reportHealth: (name, well, reason) => modules.get(name)?.reportHealth(well, reason),
    stop: () => {
      stopped ??= stopAll();
      return stopped;
    },
    stopModule: async name => moduleOf(name).ask('stop'),
    startModule: async name => {
      const module = moduleOf(name);
      refuseWhenStopped(name);
      await module.ask('start');
    },
    restart: async name => {
      const module = moduleOf(name);
      refuseWhenStopped(name);
      await module.ask('restart');
    },
    attach: (name, viewer) => moduleOf(name).attach(viewer),
    findPeer,
    statuses: () => [...modules.values()].map(module => module.status()),
    write: (name, line, written) => moduleOf(name).write(line, written),
  };
}

/** The modules by `startupOrder`, those of one order together. */
function inStartupOrder(modules: Iterable<Module>): Module[][] {
  const groups = Map.groupBy(modules, module => module.spec().startupOrder);
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group);
}
