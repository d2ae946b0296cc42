import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { runningProcess } from '../../core/proc.ts';
import type { Cgroup } from './cgroup.ts';
import { openCgroup } from './cgroup.ts';
import type { CgroupLayout, Controller, LimitName } from './cgroup-files.ts';
import { CGROUP_V1, CGROUP_V2, LIMITS } from './cgroup-files.ts';
import type { CgroupMount } from './cgroup-mounts.ts';
import { cgroupMounts, currentCgroup, isDisabledAtBoot } from './cgroup-mounts.ts';

/**
 * Cgroups of the hub's modules. In each hierarchy, the hub has one cgroup, which contains the cgroups of the
 * modules.
 */
export type CgroupHierarchy = {
  readonly version: 1 | 2 | undefined;
  /** Limits that cannot be enforced on this system, each with the cause and the cure. */
  readonly unsupported: ReadonlyMap<LimitName, string>;
  /**
   * Reason why memory limits do not include swap, with the cure. Undefined if memory limits include swap, or
   * if the machine has no swap.
   */
  readonly swapUnsupported: string | undefined;
  /** Creates the cgroup of a module. Returns undefined if the system has no usable cgroups. */
  readonly group: (module: string) => Cgroup | undefined;
  /** Returns the existing cgroups of modules, including cgroups of an earlier run of the hub. */
  readonly groups: () => Cgroup[];
  /** Removes the hub's cgroups if they are empty. */
  readonly close: () => void;
};

const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'cpuacct', 'pids', 'io', 'freezer'];

/**
 * Controllers that are delegated to the hub's cgroups in version 2. In version 2, CPU accounting and freezing
 * need no controller.
 */
const DELEGATED = ['memory', 'cpu', 'pids', 'io'] as const;

/** Cure in error messages if the hub has no permission to create cgroups. */
const RUN_AS_SERVICE = 'run the hub as root, or as a systemd service with "Delegate=yes" in [Service]';

/**
 * Prefix of the names of modules' cgroups. Without this prefix, the cgroup of a module could have the same
 * name as a kernel file such as `tasks`.
 */
const PREFIX = 'm-';

/** Options of `mkdir` for the folders of cgroups. Other users must not create child cgroups. */
const GROUP_FOLDER = { recursive: true, mode: 0o755 } as const;

/**
 * Maximum number of attempts to move all processes out of a cgroup. Further attempts are needed, for example,
 * if the watchdog has started a child process before the watchdog itself was moved.
 */
const MAX_ATTEMPTS = 5;

/** Controller of each limit. */
const CONTROLLER_OF: Readonly<Record<LimitName, Controller>> = {
  memory: 'memory',
  memoryHigh: 'memory',
  cpu: 'cpu',
  pids: 'pids',
  ioWeight: 'io',
};

/**
 * Result of preparing a hierarchy. `folders` contains the folder of each usable controller. `reason` explains
 * why the other controllers have no folder.
 */
type PreparedHierarchy = {
  readonly version: 1 | 2 | undefined;
  readonly layout: CgroupLayout;
  readonly folders: ReadonlyMap<Controller, string>;
  readonly reason: string;
};

/**
 * Prepares the hub's cgroup `name`. Uses the version 2 hierarchy if it has controllers, otherwise the version
 * 1 hierarchies. In version 2, the parent of the new cgroup is the hub's current cgroup if this cgroup
 * contains only the hub and its watchdog, as in a systemd service. Otherwise the parent is the root cgroup.
 * `proc` is the path of /proc. `watchdog` is the pid of the watchdog.
 */
export function openCgroupHierarchy(name: string, proc = '/proc', watchdog?: number): CgroupHierarchy {
  const base = prepare(name, proc, watchdog);
  const folders = [...new Set(base.folders.values())];
  const groupAt = (module: string): Cgroup => {
    const moduleFolders = new Map(
      [...base.folders].map(([controller, folder]) => [controller, join(folder, PREFIX + module)]),
    );
    return openCgroup(moduleFolders, base.layout);
  };
  return {
    version: base.version,
    unsupported: new Map(LIMITS.flatMap(limit => limitProblem(limit, base, proc))),
    swapUnsupported: swapProblem(base, proc),
    group: module => {
      if (folders.length === 0) return undefined;
      for (const folder of folders) mkdirSync(join(folder, PREFIX + module), GROUP_FOLDER);
      return groupAt(module);
    },
    groups: () => [...new Set(folders.flatMap(modulesIn))].map(groupAt),
    close: () => {
      for (const folder of folders) removeIfEmpty(folder);
    },
  };
}

function prepare(name: string, proc: string, watchdog: number | undefined): PreparedHierarchy {
  const mounts = cgroupMounts(proc);
  const unified = mounts.find(({ version }) => version === 2);
  const controllers = unified === undefined ? [] : controllersOf(unified.point);
  if (unified !== undefined && DELEGATED.some(one => controllers.includes(one)))
    return prepareV2(unified, name, proc, watchdog);
  const legacy = mounts.filter(({ version }) => version === 1);
  if (legacy.length > 0) return prepareV1(legacy, name, proc);
  const reason = 'cgroups are not mounted: mount them at /sys/fs/cgroup, as systemd does';
  return { version: undefined, layout: CGROUP_V2, folders: new Map(), reason };
}

function prepareV1(mounts: readonly CgroupMount[], name: string, proc: string): PreparedHierarchy {
  const folders = new Map<Controller, string>();
  let reason = 'the cgroup controller is not mounted';
  for (const controller of CONTROLLERS) {
    const option = controller === 'io' ? 'blkio' : controller;
    const mount = mounts.find(({ options }) => options.includes(option));
    const ownCgroup = mount && currentCgroup(proc, mount);
    if (ownCgroup === undefined) continue;
    const folder = join(ownCgroup, name);
    const problem = errorOf(() => mkdirSync(folder, GROUP_FOLDER));
    if (problem === undefined) folders.set(controller, folder);
    else reason = `the hub cannot create cgroups (${problem}): ${RUN_AS_SERVICE}`;
  }
  return { version: 1, layout: CGROUP_V1, folders, reason };
}

function prepareV2(
  mount: CgroupMount,
  name: string,
  proc: string,
  watchdog: number | undefined,
): PreparedHierarchy {
  const ownCgroup = parentOfLeaf(currentCgroup(proc, mount) ?? mount.point, name);
  let reason = '';
  for (const parent of new Set([ownCgroup, mount.point])) {
    const isRoot = parent === mount.point;
    const problem =
      isRoot && !isContainerRoot(ownCgroup, mount) ? undefined : moveIntoLeaf(parent, name, watchdog);
    // The root cgroup of a container is used even if its processes cannot be moved out. The hub can then
    // still count resource usage and kill processes.
    const creationError =
      (isRoot ? undefined : problem) ?? errorOf(() => mkdirSync(join(parent, name), GROUP_FOLDER));
    if (creationError !== undefined) {
      reason = `the hub cannot create cgroups (${creationError}): ${RUN_AS_SERVICE}`;
      continue;
    }
    const base = join(parent, name);
    delegate(parent);
    delegate(base);
    const delegated = new Set(controllersOf(base));
    const folders = CONTROLLERS.filter(one => one === 'cpuacct' || one === 'freezer' || delegated.has(one));
    reason =
      problem === undefined
        ? `systemd does not delegate the controller: add "Delegate=yes" to [Service] of the hub's unit`
        : `the container's controllers cannot be delegated (${problem}): run only the hub in the container`;
    return { version: 2, layout: CGROUP_V2, folders: new Map(folders.map(one => [one, base])), reason };
  }
  return { version: 2, layout: CGROUP_V2, folders: new Map(), reason };
}

/**
 * Returns true if the hub runs in the root cgroup of a container. The root cgroup of a container has a file
 * `cgroup.events`. The root cgroup of the machine does not have this file.
 */
function isContainerRoot(ownCgroup: string, { point }: CgroupMount): boolean {
  return ownCgroup === point && existsSync(join(point, 'cgroup.events'));
}

/**
 * Moves the hub, its watchdog and the watchdog's child processes into a leaf cgroup. A cgroup that delegates
 * controllers must not contain processes (cgroup-v2, "No Internal Process Constraint"). Returns the reason if
 * the move is not possible.
 */
function moveIntoLeaf(parent: string, name: string, watchdog: number | undefined): string | undefined {
  const leaf = join(parent, leafOf(name));
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
    const inside = wordsOf(join(parent, 'cgroup.procs')).map(Number);
    // Processes of other programs must not be moved. The next attempt succeeds if these processes have exited
    // by then.
    if (!inside.every(pid => isOwn(pid, watchdog))) continue;
    const problem = errorOf(() => mkdirSync(leaf, GROUP_FOLDER)) ?? moveInto(leaf, inside, watchdog);
    if (problem !== undefined || inside.every(pid => pid === process.pid)) return problem;
  }
  return 'processes of other programs are in the cgroup of the hub';
}

/**
 * Moves processes into a cgroup. Moves the watchdog first. Child processes that the watchdog starts
 * afterwards are then in the cgroup too. Returns the reason of a failure.
 */
function moveInto(group: string, pids: readonly number[], watchdog: number | undefined): string | undefined {
  for (const pid of pids.toSorted((one, other) => Number(other === watchdog) - Number(one === watchdog))) {
    const problem = errorOf(() => writeFileSync(join(group, 'cgroup.procs'), String(pid)));
    if (problem !== undefined && runningProcess(pid) !== undefined) return problem;
  }
  return undefined;
}

function isOwn(pid: number, watchdog: number | undefined): boolean {
  if (pid === process.pid || pid === watchdog) return true;
  return watchdog !== undefined && runningProcess(pid)?.parent === watchdog;
}

const leafOf = (name: string): string => `${name}-hub`;

/**
 * Returns the parent folder if `folder` is the hub's leaf cgroup, otherwise `folder`. After a self-update,
 * the hub starts in its leaf cgroup.
 */
function parentOfLeaf(folder: string, name: string): string {
  return basename(folder) === leafOf(name) ? dirname(folder) : folder;
}

function delegate(folder: string): void {
  const available = controllersOf(folder);
  const delegated = wordsOf(join(folder, 'cgroup.subtree_control'));
  for (const controller of DELEGATED) {
    if (!available.includes(controller) || delegated.includes(controller)) continue;
    // An error is ignored here, because `limitProblem` reports controllers that could not be delegated.
    errorOf(() => writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`));
  }
}

function controllersOf(folder: string): string[] {
  return wordsOf(join(folder, 'cgroup.controllers'));
}

function wordsOf(file: string): string[] {
  return partsOf(file, /\s/);
}

function linesOf(file: string): string[] {
  return partsOf(file, '\n');
}

function partsOf(file: string, end: string | RegExp): string[] {
  if (!existsSync(file)) return [];
  const parts = readFileSync(file, 'utf8').split(end);
  return parts.filter(part => part !== '');
}

/**
 * Returns the limit and the reason why it cannot be enforced on this system, with the cure. Empty if the
 * limit can be enforced.
 */
function limitProblem(
  limit: LimitName,
  { version, layout, folders, reason }: PreparedHierarchy,
  proc: string,
): [LimitName, string][] {
  const { anyOf } = layout.limits[limit];
  if (version === 1 && anyOf.length === 0) {
    const cure = 'add systemd.unified_cgroup_hierarchy=1 to the kernel command line and reboot';
    return [[limit, `cgroups version 1 do not support this limit: ${cure}`]];
  }
  const controller = CONTROLLER_OF[limit];
  if (isDisabledAtBoot(proc, controller === 'io' ? 'blkio' : controller)) {
    const cure = `add cgroup_enable=${controller} to /boot/firmware/cmdline.txt and reboot`;
    return [[limit, `the kernel was booted without the ${controller} controller: ${cure}`]];
  }
  const folder = folders.get(controller);
  if (folder === undefined) return [[limit, reason]];
  if (anyOf.some(({ file }) => existsSync(join(folder, file)))) return [];
  const cure =
    limit === 'ioWeight'
      ? 'select the I/O scheduler bfq for the disk (echo bfq > /sys/block/<disk>/queue/scheduler)'
      : 'use a kernel with this controller';
  return [[limit, `this kernel does not support the limit: ${cure}`]];
}

function swapProblem({ layout, folders }: PreparedHierarchy, proc: string): string | undefined {
  const folder = folders.get('memory');
  const [file] = layout.limits.memory.also;
  if (folder === undefined || file === undefined || existsSync(join(folder, file.file))) return undefined;
  // The first line of /proc/swaps is a header.
  const swaps = linesOf(join(proc, 'swaps')).length - 1;
  if (swaps < 1) return undefined;
  return 'swap is not counted: add swapaccount=1 to the kernel command line and reboot, or disable swap';
}

/** Returns the names of the modules that have a cgroup in a folder. */
function modulesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const groups = entries.filter(entry => entry.isDirectory() && entry.name.startsWith(PREFIX));
  return groups.map(({ name }) => name.slice(PREFIX.length));
}

function removeIfEmpty(folder: string): void {
  errorOf(() => rmdirSync(folder));
}

/** Runs an action. Returns the text of a system error, or undefined on success. */
function errorOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (systemCode(error) !== undefined) return reasonOf(error);
    throw error;
  }
}
