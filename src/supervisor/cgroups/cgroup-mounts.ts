import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemCode } from '../../core/errors.ts';

/** Mount of a cgroup hierarchy. */
export type CgroupMount = {
  readonly version: 1 | 2;
  /** Path of the mounted cgroup within its hierarchy. */
  readonly root: string;
  /** Path of the mount point. */
  readonly point: string;
  /** Mount options. In cgroups version 1, the options contain the names of the controllers. */
  readonly options: readonly string[];
};

/** Returns the mounted cgroup hierarchies (proc(5), mountinfo). `proc` is the path of /proc. */
export function cgroupMounts(proc: string): CgroupMount[] {
  return readLines(join(proc, 'self/mountinfo')).flatMap(line => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    return [{ version: type === 'cgroup' ? 1 : 2, root, point, options: options.split(',') } as const];
  });
}

/** Returns the folder of this process's cgroup (cgroups(7)). Undefined if the cgroup is outside the mount. */
export function currentCgroup(proc: string, mount: CgroupMount): string | undefined {
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

/** Returns true if the kernel command line disables a controller (proc(5), /proc/cgroups). */
export function isDisabledAtBoot(proc: string, controller: string): boolean {
  const row = readLines(join(proc, 'cgroups')).find(line => line.startsWith(`${controller}\t`));
  if (row !== undefined) return row.split('\t')[3] === '0';
  return readLines(join(proc, 'cmdline')).some(line => line.includes(`cgroup_disable=${controller}`));
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    // If /proc is not mounted, the file counts as empty, and no cgroup is found.
    if (systemCode(error) !== undefined) return [];
    throw error;
  }
}
