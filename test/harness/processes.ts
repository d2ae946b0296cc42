import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process of a module, read from /proc. */
export type ModuleProcess = {
  readonly pid: number;
  /** Name of the module. Empty if the process has no tag. */
  readonly module: string;
  /** True if the process leads its process group: the main process of the module, not a child. */
  readonly leads: boolean;
};

/** Processes whose working directory is `folder`, except zombies. */
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
    // The process has exited meanwhile.
    return undefined;
  }
}

/** Number of open files and bytes of anonymous memory of a process. */
export function usageOf(pid: number): { readonly files: number; readonly anonymous: number } {
  const [, kilobytes = '0'] =
    /^Anonymous:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
  return { files: readdirSync(`/proc/${pid}/fd`).length, anonymous: Number(kilobytes) * 1024 };
}
