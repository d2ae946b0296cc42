import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { runningProcess } from '../../core/proc.ts';
import type { ControlGroup } from './cgroup.ts';
import { controlGroup } from './cgroup.ts';
import type { Controller, Layout, LimitName } from './cgroup-files.ts';
import { LEGACY, LIMITS, UNIFIED } from './cgroup-files.ts';
import type { GroupMount } from './cgroup-mounts.ts';
import { groupMounts, isSwitchedOff, ownFolder } from './cgroup-mounts.ts';

/** The control groups that the hub may make here, below one of its own in each hierarchy. */
export type Hierarchy = {
  readonly version: 1 | 2 | undefined;
  /** Limits that do not hold here, each with its cause and its cure. */
  readonly lacks: ReadonlyMap<LimitName, string>;
  /** Why a limit of memory does not hold for what is swapped out, and what to do; undefined: it does. */
  readonly swapLack: string | undefined;
  /** Makes the group of a module, an empty one; undefined: there are none here. */
  readonly group: (module: string) => ControlGroup | undefined;
  /** The groups that are here, those that an earlier run left among them. */
  readonly groups: () => ControlGroup[];
  /** Removes what the hub made, so far as it is empty. */
  readonly close: () => void;
};

const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'cpuacct', 'pids', 'io', 'freezer'];

/** What the controllers of version 2 are; counting and freezing need none there. */
const HANDED_DOWN = ['memory', 'cpu', 'pids', 'io'] as const;

const AS_SERVICE =
  'run the hub as root, or as a service of systemd with "Delegate=yes" in the [Service] of its unit';

/** Before the name of a module, which may else be that of a file that the kernel keeps there (`tasks`). */
const PREFIX = 'm-';

/** Mode of control groups, whatever the umask: nobody else may make groups in them. */
const GROUP_FOLDER = { recursive: true, mode: 0o755 } as const;

/** Looks at a group that is being left: what the guard starts comes and goes, and soon comes outside it. */
const MOST_LOOKS = 5;

const CONTROLLER_OF: Readonly<Record<LimitName, Controller>> = {
  memory: 'memory',
  memoryHigh: 'memory',
  cpu: 'cpu',
  pids: 'pids',
  ioWeight: 'io',
};

/** What has been prepared: a folder for each controller, and why others have none. */
type Base = {
  readonly version: 1 | 2 | undefined;
  readonly layout: Layout;
  readonly folders: ReadonlyMap<Controller, string>;
  readonly reason: string;
};

/**
 * Prepares a group called `name` for the hub's modules: of version 2 where that has controllers, else of version 1.
 * Below the hub's own group if it has that for itself, but for its `guard`, as a service has, else below the root. `proc`
 * is /proc.
 */
export function openHierarchy(name: string, proc = '/proc', guard?: number): Hierarchy {
  const base = prepare(name, proc, guard);
  const folders = [...new Set(base.folders.values())];
  const groupAt = (module: string): ControlGroup => {
    const places = new Map(
      [...base.folders].map(([controller, folder]) => [controller, join(folder, PREFIX + module)]),
    );
    return controlGroup(places, base.layout);
  };
  return {
    version: base.version,
    lacks: new Map(LIMITS.flatMap(limit => lackOf(limit, base, proc))),
    swapLack: swapLackOf(base, proc),
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

function prepare(name: string, proc: string, guard: number | undefined): Base {
  const mounts = groupMounts(proc);
  const unified = mounts.find(({ version }) => version === 2);
  const offered = unified === undefined ? [] : controllersOf(unified.point);
  if (unified !== undefined && HANDED_DOWN.some(one => offered.includes(one)))
    return prepareUnified(unified, name, proc, guard);
  const legacy = mounts.filter(({ version }) => version === 1);
  if (legacy.length > 0) return prepareLegacy(legacy, name, proc);
  const reason = 'no control groups are mounted here: mount them at /sys/fs/cgroup, as systemd does';
  return { version: undefined, layout: UNIFIED, folders: new Map(), reason };
}

function prepareLegacy(mounts: readonly GroupMount[], name: string, proc: string): Base {
  const folders = new Map<Controller, string>();
  let reason = 'the controller is not mounted here';
  for (const controller of CONTROLLERS) {
    const option = controller === 'io' ? 'blkio' : controller;
    const mount = mounts.find(({ options }) => options.includes(option));
    const own = mount && ownFolder(proc, mount);
    if (own === undefined) continue;
    const folder = join(own, name);
    const refusal = attempt(() => mkdirSync(folder, GROUP_FOLDER));
    if (refusal === undefined) folders.set(controller, folder);
    else reason = `the hub may not make groups (${refusal}): ${AS_SERVICE}`;
  }
  return { version: 1, layout: LEGACY, folders, reason };
}

function prepareUnified(mount: GroupMount, name: string, proc: string, guard: number | undefined): Base {
  const own = withoutLeaf(ownFolder(proc, mount) ?? mount.point, name);
  let reason = '';
  for (const parent of new Set([own, mount.point])) {
    const topmost = parent === mount.point;
    const refusal = topmost && !isContainers(own, mount) ? undefined : moveIntoLeaf(parent, name, guard);
    // What is topmost serves for counting and killing at least.
    const made =
      (topmost ? undefined : refusal) ?? attempt(() => mkdirSync(join(parent, name), GROUP_FOLDER));
    if (made !== undefined) {
      reason = `the hub may not make groups (${made}): ${AS_SERVICE}`;
      continue;
    }
    const base = join(parent, name);
    handDown(parent);
    handDown(base);
    const given = new Set(controllersOf(base));
    const folders = CONTROLLERS.filter(one => one === 'cpuacct' || one === 'freezer' || given.has(one));
    reason =
      refusal === undefined
        ? `systemd does not hand the controller down: put "Delegate=yes" into the [Service] of the hub's unit`
        : `the container's controllers cannot be handed down (${refusal}): make the hub its only program`;
    return { version: 2, layout: UNIFIED, folders: new Map(folders.map(one => [one, base])), reason };
  }
  return { version: 2, layout: UNIFIED, folders: new Map(), reason };
}

/** Whether what is topmost here is a container's, in which the hub is: only the machine's has no events. */
function isContainers(own: string, { point }: GroupMount): boolean {
  return own === point && existsSync(join(point, 'cgroup.events'));
}

/**
 * A group that hands controllers down may hold no process itself (cgroup-v2, no internal processes). The hub leaves it, and
 * its guard with what that starts, of which there is another each second.
 */
function moveIntoLeaf(parent: string, name: string, guard: number | undefined): string | undefined {
  const leaf = join(parent, leafOf(name));
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const inside = wordsOf(join(parent, 'cgroup.procs')).map(Number);
    // What is neither may be gone at the next look.
    if (!inside.every(pid => isOwn(pid, guard))) continue;
    const refusal = attempt(() => mkdirSync(leaf, GROUP_FOLDER)) ?? moveInto(leaf, inside, guard);
    if (refusal !== undefined || inside.every(pid => pid === process.pid)) return refusal;
  }
  return 'other programs are in its own';
}

/** The guard first: what it starts from then on is where it is. */
function moveInto(group: string, pids: readonly number[], guard: number | undefined): string | undefined {
  for (const pid of pids.toSorted((one, other) => Number(other === guard) - Number(one === guard))) {
    const refusal = attempt(() => writeFileSync(join(group, 'cgroup.procs'), String(pid)));
    if (refusal !== undefined && runningProcess(pid) !== undefined) return refusal;
  }
  return undefined;
}

function isOwn(pid: number, guard: number | undefined): boolean {
  if (pid === process.pid || pid === guard) return true;
  return guard !== undefined && runningProcess(pid)?.parent === guard;
}

const leafOf = (name: string): string => `${name}-hub`;

/** A hub that replaced itself is in its leaf already. */
function withoutLeaf(folder: string, name: string): string {
  return basename(folder) === leafOf(name) ? dirname(folder) : folder;
}

function handDown(folder: string): void {
  const there = controllersOf(folder);
  const given = wordsOf(join(folder, 'cgroup.subtree_control'));
  for (const controller of HANDED_DOWN) {
    if (!there.includes(controller) || given.includes(controller)) continue;
    // What is not handed down is missed when the limits are looked at.
    attempt(() => writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`));
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

/** Why a limit cannot be set here and what to do; nothing if it can. */
function lackOf(
  limit: LimitName,
  { version, layout, folders, reason }: Base,
  proc: string,
): [LimitName, string][] {
  const { anyOf } = layout.limits[limit];
  if (version === 1 && anyOf.length === 0) {
    const cure = 'add systemd.unified_cgroup_hierarchy=1 to the kernel command line and restart';
    return [[limit, `control groups of version 1 have no such limit: ${cure}`]];
  }
  const controller = CONTROLLER_OF[limit];
  if (isSwitchedOff(proc, controller === 'io' ? 'blkio' : controller)) {
    const cure = `add cgroup_enable=${controller} to the line in /boot/firmware/cmdline.txt and restart`;
    return [[limit, `the kernel was started without the ${controller} controller: ${cure}`]];
  }
  const folder = folders.get(controller);
  if (folder === undefined) return [[limit, reason]];
  if (anyOf.some(({ file }) => existsSync(join(folder, file)))) return [];
  const cure =
    limit === 'ioWeight'
      ? 'choose the I/O scheduler bfq for the disk (echo bfq > /sys/block/<disk>/queue/scheduler)'
      : 'use a kernel that was built with it';
  return [[limit, `this kernel does not offer it: ${cure}`]];
}

function swapLackOf({ layout, folders }: Base, proc: string): string | undefined {
  const folder = folders.get('memory');
  const [file] = layout.limits.memory.also;
  if (folder === undefined || file === undefined || existsSync(join(folder, file.file))) return undefined;
  // Its first line is a head.
  const swaps = linesOf(join(proc, 'swaps')).length - 1;
  if (swaps < 1) return undefined;
  return 'what is swapped out is not counted: add swapaccount=1 to the kernel command line and restart, or use no swap';
}

/** The modules whose groups are in a folder. */
function modulesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const groups = entries.filter(entry => entry.isDirectory() && entry.name.startsWith(PREFIX));
  return groups.map(({ name }) => name.slice(PREFIX.length));
}

function removeIfEmpty(folder: string): void {
  attempt(() => rmdirSync(folder));
}

/** The system's reason why something could not be done; undefined: it was done. */
function attempt(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (systemCode(error) !== undefined) return reasonOf(error);
    throw error;
  }
}
