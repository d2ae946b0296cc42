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

/** The hub's cgroups, below one cgroup of its own in each hierarchy. */
export type CgroupHierarchy = {
  readonly version: 1 | 2 | undefined;
  /** Limits that cannot be enforced here, each with the cause and the fix. */
  readonly unsupported: ReadonlyMap<LimitName, string>;
  /** Reason why memory limits do not cover swap, with the fix. Undefined if they do. */
  readonly swapUnsupported: string | undefined;
  /** Creates the cgroup of a module. Undefined if the system has no usable cgroups. */
  readonly group: (module: string) => Cgroup | undefined;
  /** Existing module cgroups, including those of an earlier run. */
  readonly groups: () => Cgroup[];
  /** Removes the hub's empty cgroups. */
  readonly close: () => void;
};

const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'cpuacct', 'pids', 'io', 'freezer'];

/** Controllers to delegate in version 2. Accounting and freezing need none there. */
const DELEGATED = ['memory', 'cpu', 'pids', 'io'] as const;

const RUN_AS_SERVICE = 'run the hub as root, or as a systemd service with "Delegate=yes" in [Service]';

/** Prefix of module cgroups. Prevents collisions with interface files of the kernel (`tasks`). */
const PREFIX = 'm-';

/** Folder mode of cgroups, independent of the umask: other users must not create cgroups in them. */
const GROUP_FOLDER = { recursive: true, mode: 0o755 } as const;

/**
 * Maximum attempts to empty a cgroup. The watchdog's short-lived children come and go, and soon start outside
 * it.
 */
const MAX_ATTEMPTS = 5;

const CONTROLLER_OF: Readonly<Record<LimitName, Controller>> = {
  memory: 'memory',
  memoryHigh: 'memory',
  cpu: 'cpu',
  pids: 'pids',
  ioWeight: 'io',
};

/** Prepared hierarchy: a folder for each available controller, and the reason why others have none. */
type PreparedHierarchy = {
  readonly version: 1 | 2 | undefined;
  readonly layout: CgroupLayout;
  readonly folders: ReadonlyMap<Controller, string>;
  readonly reason: string;
};

/**
 * Prepares the hub's cgroup `name`: in version 2 if that has controllers, otherwise in version 1. It is
 * created below the hub's current cgroup if only the hub and its watchdog are in it (as in a service),
 * otherwise below the root. `proc` is the path of /proc.
 */
export function openCgroupHierarchy(name: string, proc = '/proc', watchdog?: number): CgroupHierarchy {
  const base = prepare(name, proc, watchdog);
  const folders = [...new Set(base.folders.values())];
  const groupAt = (module: string): Cgroup => {
    const places = new Map(
      [...base.folders].map(([controller, folder]) => [controller, join(folder, PREFIX + module)]),
    );
    return openCgroup(places, base.layout);
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
  const offered = unified === undefined ? [] : controllersOf(unified.point);
  if (unified !== undefined && DELEGATED.some(one => offered.includes(one)))
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
    const own = mount && currentCgroup(proc, mount);
    if (own === undefined) continue;
    const folder = join(own, name);
    const refusal = errorOf(() => mkdirSync(folder, GROUP_FOLDER));
    if (refusal === undefined) folders.set(controller, folder);
    else reason = `the hub cannot create cgroups (${refusal}): ${RUN_AS_SERVICE}`;
  }
  return { version: 1, layout: CGROUP_V1, folders, reason };
}

function prepareV2(
  mount: CgroupMount,
  name: string,
  proc: string,
  watchdog: number | undefined,
): PreparedHierarchy {
  const own = parentOfLeaf(currentCgroup(proc, mount) ?? mount.point, name);
  let reason = '';
  for (const parent of new Set([own, mount.point])) {
    const topmost = parent === mount.point;
    const refusal =
      topmost && !isContainerRoot(own, mount) ? undefined : moveIntoLeaf(parent, name, watchdog);
    // The root cgroup works at least for accounting and killing.
    const made =
      (topmost ? undefined : refusal) ?? errorOf(() => mkdirSync(join(parent, name), GROUP_FOLDER));
    if (made !== undefined) {
      reason = `the hub cannot create cgroups (${made}): ${RUN_AS_SERVICE}`;
      continue;
    }
    const base = join(parent, name);
    delegate(parent);
    delegate(base);
    const given = new Set(controllersOf(base));
    const folders = CONTROLLERS.filter(one => one === 'cpuacct' || one === 'freezer' || given.has(one));
    reason =
      refusal === undefined
        ? `systemd does not delegate the controller: add "Delegate=yes" to [Service] of the hub's unit`
        : `the container's controllers cannot be delegated (${refusal}): run only the hub in the container`;
    return { version: 2, layout: CGROUP_V2, folders: new Map(folders.map(one => [one, base])), reason };
  }
  return { version: 2, layout: CGROUP_V2, folders: new Map(), reason };
}

/**
 * Tells if the mounted root is a container's cgroup with the hub in it. Only the machine's root has no
 * `cgroup.events`.
 */
function isContainerRoot(own: string, { point }: CgroupMount): boolean {
  return own === point && existsSync(join(point, 'cgroup.events'));
}

/**
 * Moves the hub, its watchdog and the watchdog's children into a leaf, because a cgroup that delegates
 * controllers must not contain processes (cgroup-v2, no internal processes).
 */
function moveIntoLeaf(parent: string, name: string, watchdog: number | undefined): string | undefined {
  const leaf = join(parent, leafOf(name));
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
    const inside = wordsOf(join(parent, 'cgroup.procs')).map(Number);
    // Other processes may be gone at the next attempt.
    if (!inside.every(pid => isOwn(pid, watchdog))) continue;
    const refusal = errorOf(() => mkdirSync(leaf, GROUP_FOLDER)) ?? moveInto(leaf, inside, watchdog);
    if (refusal !== undefined || inside.every(pid => pid === process.pid)) return refusal;
  }
  return 'processes of other programs are in its cgroup';
}

/** Moves the watchdog first, so that its later children start in the leaf. */
function moveInto(group: string, pids: readonly number[], watchdog: number | undefined): string | undefined {
  for (const pid of pids.toSorted((one, other) => Number(other === watchdog) - Number(one === watchdog))) {
    const refusal = errorOf(() => writeFileSync(join(group, 'cgroup.procs'), String(pid)));
    if (refusal !== undefined && runningProcess(pid) !== undefined) return refusal;
  }
  return undefined;
}

function isOwn(pid: number, watchdog: number | undefined): boolean {
  if (pid === process.pid || pid === watchdog) return true;
  return watchdog !== undefined && runningProcess(pid)?.parent === watchdog;
}

const leafOf = (name: string): string => `${name}-hub`;

/** After a self-update the hub is already in its leaf. */
function parentOfLeaf(folder: string, name: string): string {
  return basename(folder) === leafOf(name) ? dirname(folder) : folder;
}

function delegate(folder: string): void {
  const there = controllersOf(folder);
  const given = wordsOf(join(folder, 'cgroup.subtree_control'));
  for (const controller of DELEGATED) {
    if (!there.includes(controller) || given.includes(controller)) continue;
    // A controller that cannot be delegated is reported with the limits.
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

/** Reports why a limit cannot be enforced here and how to fix it. Empty if it can. */
function limitProblem(
  limit: LimitName,
  { version, layout, folders, reason }: PreparedHierarchy,
  proc: string,
): [LimitName, string][] {
  const { anyOf } = layout.limits[limit];
  if (version === 1 && anyOf.length === 0) {
    const cure = 'add systemd.unified_cgroup_hierarchy=1 to the kernel command line and reboot';
    return [[limit, `cgroups version 1 have no such limit: ${cure}`]];
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
      : 'use a kernel built with it';
  return [[limit, `this kernel does not support it: ${cure}`]];
}

function swapProblem({ layout, folders }: PreparedHierarchy, proc: string): string | undefined {
  const folder = folders.get('memory');
  const [file] = layout.limits.memory.also;
  if (folder === undefined || file === undefined || existsSync(join(folder, file.file))) return undefined;
  // The first line is a header.
  const swaps = linesOf(join(proc, 'swaps')).length - 1;
  if (swaps < 1) return undefined;
  return 'swap is not counted: add swapaccount=1 to the kernel command line and reboot, or disable swap';
}

/** Names of modules with a cgroup in a folder. */
function modulesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const groups = entries.filter(entry => entry.isDirectory() && entry.name.startsWith(PREFIX));
  return groups.map(({ name }) => name.slice(PREFIX.length));
}

function removeIfEmpty(folder: string): void {
  errorOf(() => rmdirSync(folder));
}

/** Runs an action and returns the system error as text. Undefined on success. */
function errorOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (systemCode(error) !== undefined) return reasonOf(error);
    throw error;
  }
}
