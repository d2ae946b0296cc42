import { Failure } from '../core/errors.ts';
import { createLeftovers } from './leftovers.ts';
import type { Module } from './module.ts';
import { createModule } from './module.ts';
import type { Supervisor, SupervisorSettings } from './spec.ts';

/**
 * Keeps modules running: native processes, each the leader of a process group that is ended as a whole, also when
 * only the leader ended. A child that made a session of its own (`setsid`, a double-forking daemon) leaves the group
 * and is found by the mark in its environment.
 */
export function createSupervisor(settings: SupervisorSettings): Supervisor {
  const leftovers = createLeftovers(settings.runFolder, settings.clock, settings.log);
  const modules = new Map<string, Module>();
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

  const stopAll = async (): Promise<void> => {
    for (const group of inStartupOrder(modules.values()).reverse()) {
      await Promise.all(group.map(module => module.ask('stop')));
    }
    await Promise.all([...modules.values()].map(module => module.close()));
  };

  return {
    takeDownLeft: leftovers.takeDown,
    start: async specs => {
      for (const spec of specs) modules.set(spec.name, createModule(spec, { ...settings, leftovers }));
      for (const group of inStartupOrder(modules.values())) {
        if (stopped !== undefined) return;
        await Promise.all(group.map(module => module.ask('start')));
        await Promise.all(group.map(module => module.readiness()));
      }
    },
    reportHealth: (name, well) => modules.get(name)?.reportHealth(well),
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
    statuses: () => [...modules.values()].map(module => module.status()),
    write: (name, line, written) => moduleOf(name).write(line, written),
  };
}

/** The modules by `startupOrder`, those of one order together. */
function inStartupOrder(modules: Iterable<Module>): Module[][] {
  const groups = Map.groupBy(modules, module => module.spec.startupOrder);
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group);
}
