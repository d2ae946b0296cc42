import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Memory budget of the hub and its source. */
export type MemoryTotal = {
  readonly bytes: number;
  readonly source: '--memory' | 'control group' | 'machine';
};

/** Part of the machine's memory for the hub by default, because its modules need the rest. */
const PART_OF_MACHINE = 1 / 4;

/** Mount points of control groups of version 2 and version 1, and the file with the limit in each group. */
const UNIFIED = { root: '/sys/fs/cgroup', limit: 'memory.max' };
const VERSION_1 = { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' };

/**
 * Memory budget: `--memory`, else the tightest limit of the hub's control groups, else a part of the
 * machine's memory.
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
 * Tightest limit of the hub's control groups, or Infinity. A line is `<number>:<controllers>:<path>`
 * (cgroups(7)).
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

/** Tightest limit of a group and its ancestors. */
function limitsAlong({ root, limit }: typeof UNIFIED, path: string): number[] {
  const names = path.split('/').filter(name => name !== '');
  return [...names.keys(), names.length].flatMap(depth => {
    const text = textOf(join(root, ...names.slice(0, depth), limit)).trim();
    // "max" or a missing file means no limit.
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
