import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemCode } from '../../core/errors.ts';

/** A mounted hierarchy of control groups. */
export type GroupMount = {
  readonly version: 1 | 2;
  /** What of the hierarchy is mounted, and where. */
  readonly root: string;
  readonly point: string;
  /** Those of version 1 name their controllers in the mount's options. */
  readonly options: readonly string[];
};

/** The hierarchies that are mounted here (proc(5), mountinfo); `proc` is where the kernel shows processes. */
export function groupMounts(proc: string): GroupMount[] {
  return readLines(join(proc, 'self/mountinfo')).flatMap(line => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    return [{ version: type === 'cgroup' ? 1 : 2, root, point, options: options.split(',') } as const];
  });
}

/** The folder of the group that this process is in (cgroups(7)); undefined: it is outside what is mounted. */
export function ownFolder(proc: string, mount: GroupMount): string | undefined {
  for (const line of readLines(join(proc, 'self/cgroup'))) {
    const [, names = '', ...rest] = line.split(':');
    const controllers = names === '' ? [] : names.split(',');
    const fits = mount.version === 2 ? names === '' : controllers.some(name => mount.options.includes(name));
    if (!fits) continue;
    const path = rest.join(':');
    const root = mount.root === '/' ? '' : mount.root;
    if (path !== root && !path.startsWith(`${root}/`)) return undefined;
    const inside = path.slice(root.length);
    return inside.split('/').includes('..') ? undefined : resolve(mount.point, `.${inside}`);
  }
  return undefined;
}

/** Whether the kernel was started without a controller that it knows (proc(5), /proc/cgroups). */
export function isSwitchedOff(proc: string, controller: string): boolean {
  const row = readLines(join(proc, 'cgroups')).find(line => line.startsWith(`${controller}\t`));
  if (row !== undefined) return row.split('\t')[3] === '0';
  return readLines(join(proc, 'cmdline')).some(line => line.includes(`cgroup_disable=${controller}`));
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    // There is no /proc, or none of this file: nothing is known.
    if (systemCode(error) !== undefined) return [];
    throw error;
  }
}
