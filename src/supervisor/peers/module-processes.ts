import type { Module } from '../spec.ts';
import type { ModuleProcesses } from './find-peer.ts';
import type { ModulePid } from './open-sockets.ts';

/**
 * Creates the lookup of the modules' processes. `tagged` returns all processes with a run tag (an environment
 * variable that names the module). The tags are used only for modules without a cgroup.
 */
export function moduleProcesses(
  modules: () => Iterable<Module>,
  tagged: () => readonly ModulePid[],
): ModuleProcesses {
  return {
    byUser: uid => {
      if (uid === process.getuid?.()) return undefined;
      const names = [...modules()].filter(({ identity }) => identity().uid === uid).map(nameOf);
      return names.length === 0 ? undefined : names;
    },
    pidsToScan: function* () {
      const withoutCgroup = new Set<string>();
      for (const module of modules()) {
        if (module.identity().uidFixed) continue;
        const pids = module.pids();
        if (pids === undefined) withoutCgroup.add(nameOf(module));
        else for (const pid of pids) yield { module: nameOf(module), pid };
      }
      if (withoutCgroup.size > 0)
        for (const candidate of tagged()) if (withoutCgroup.has(candidate.module)) yield candidate;
    },
  };
}

function nameOf(module: Module): string {
  return module.spec().name;
}
