import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process of a module, as /proc tells of it. */
export type ModuleProcess = {
  readonly pid: number;
  /** The module that it was started for. */
  readonly module: string;
  /** True if it leads its process group: the module itself, not its child. */
  readonly leads: boolean;
};

/** The processes that work in `folder`, zombies excepted. */
export function processesIn(folder: string): ModuleProcess[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0)
    .flatMap(pid => processIn(folder, pid) ?? []);
}

function processIn(folder: string, pid: number): ModuleProcess | undefined {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== folder) return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return undefined;
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    const variable = environment.find(entry => entry.startsWith('SKERRY_MODULE='));
    return { pid, module: variable?.split('=')[1] ?? '', leads: Number(group) === pid };
  } catch {
    // It has gone meanwhile.
    return undefined;
  }
}

/** Open files and anonymous memory in bytes of a process. */
export function holdingsOf(pid: number): { readonly files: number; readonly anonymous: number } {
  const [, kilobytes = '0'] =
    /^Anonymous:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
  return { files: readdirSync(`/proc/${pid}/fd`).length, anonymous: Number(kilobytes) * 1024 };
}
