import type { Module } from '../spec.ts';
import type { ModuleProcesses } from './find-peer.ts';
import type { ModulePid } from './open-sockets.ts';

/** Processes of the modules that there are now; `marked` finds those of modules that have no control group. */
export function processesOf(
  modules: () => Iterable<Module>,
  marked: () => readonly ModulePid[],
): ModuleProcesses {
  return {
    byUser: uid => {
      if (uid === process.getuid?.()) return undefined;
      const names = [...modules()].filter(({ identity }) => identity().uid === uid).map(nameOf);
      return names.length === 0 ? undefined : names;
    },
    loose: function* () {
      const ungrouped = new Set<string>();
      for (const module of modules()) {
        if (module.identity().sealed) continue;
        const pids = module.pids();
        if (pids === undefined) ungrouped.add(nameOf(module));
        else for (const pid of pids) yield { module: nameOf(module), pid };
      }
      if (ungrouped.size > 0) for (const one of marked()) if (ungrouped.has(one.module)) yield one;
    },
  };
}

function nameOf(module: Module): string {
  return module.spec().name;
}
