import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Memory budget of the hub and its source. */
export type MemoryTotal = {
  readonly bytes: number;
  readonly source: '--memory' | 'control group' | 'machine';
};

/** Fraction of the machine's memory that is the default budget. The modules need the remaining memory. */
const PART_OF_MACHINE = 1 / 4;

/** Mount point of cgroups version 2, and the name of the file with the memory limit of a cgroup. */
const UNIFIED = { root: '/sys/fs/cgroup', limit: 'memory.max' };

/** Mount point of cgroups version 1, and the name of the file with the memory limit of a cgroup. */
const VERSION_1 = { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' };

/**
 * Returns the memory budget. This is the value of `--memory` if it is set. Otherwise it is the lower of the
 * hub's cgroup limit and the fraction PART_OF_MACHINE of the machine's memory.
 */
export function memoryTotal(given: number | undefined): MemoryTotal {
  if (given !== undefined) return { bytes: given, source: '--memory' };
  const machine = machineBytes() * PART_OF_MACHINE;
  const group = groupLimit();
  return group < machine ? { bytes: group, source: 'control group' } : { bytes: machine, source: 'machine' };
}

function machineBytes(): number {
  const [, kilobytes] = /^MemTotal:\s+(\d+) kB/m.exec(textOf('/proc/meminfo')) ?? [];
  return kilobytes === undefined ? Number.POSITIVE_INFINITY : Number(kilobytes) * 1024;
}

/**
 * Returns the lowest memory limit of the hub's cgroups in bytes. Infinity if there is no limit. Each line of
 * /proc/self/cgroup is `<number>:<controllers>:<path>` (cgroups(7)).
 */
function groupLimit(): number {
  const limits = textOf('/proc/self/cgroup')
    .split('\n')
    .flatMap(line => {
      const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path === undefined) return [];
      if (controllers === '') return limitsAlong(UNIFIED, path);
      return controllers.split(',').includes('memory') ? limitsAlong(VERSION_1, path) : [];
    });
  return Math.min(Number.POSITIVE_INFINITY, ...limits);
}

/** Returns the memory limits of a cgroup and all its ancestors. */
function limitsAlong({ root, limit }: typeof UNIFIED, path: string): number[] {
  const names = path.split('/').filter(name => name !== '');
  return [...names.keys(), names.length].flatMap(depth => {
    const text = textOf(join(root, ...names.slice(0, depth), limit)).trim();
    // The text "max" or a missing file means that there is no limit.
    return /^\d+$/.test(text) ? [Number(text)] : [];
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
