import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { readKernelFile } from '../../core/proc.ts';
import type { CgroupLayout, CountName, LimitFile, LimitName } from './cgroup-files.ts';
import { COUNTS, LIMITS } from './cgroup-files.ts';

/**
 * Resource limits of one module. Memory limits are in bytes, `cpu` is a number of processors. Undefined means
 * no limit.
 */
export type ModuleLimits = { readonly [Name in LimitName]?: number | undefined };

/** Resource usage of one module. A value is undefined if the kernel of this system does not count it. */
export type ModuleUsage = { readonly [Name in CountName]?: number | undefined };

/**
 * Cgroup of one module. The cgroup contains all processes of the module, including processes that left the
 * process group.
 */
export type Cgroup = {
  /** Paths of the `cgroup.procs` files. A process joins the cgroup when its pid is written to these files. */
  readonly procsFiles: readonly string[];
  /** Returns the pids of all processes in the cgroup and its child cgroups. */
  readonly pids: () => number[];
  /** Creates a child cgroup. Undefined if the system does not permit child cgroups. */
  readonly child: (name: string) => Cgroup | undefined;
  /**
   * Returns each given pid that is not in the cgroup. In cgroups version 1, a pid must be in the cgroup of
   * each hierarchy.
   */
  readonly nonMembers: (pids: readonly number[]) => number[];
  /** Sets the limits. Returns the limits that could not be set, each with the reason. */
  readonly limit: (limits: ModuleLimits) => ReadonlyMap<LimitName, string>;
  readonly usage: () => ModuleUsage;
  /**
   * Sends SIGKILL to all processes of the cgroup. Uses `cgroup.kill` if the kernel supports it. Otherwise
   * freezes the cgroup before it sends the signals. Returns true if the cgroup was already empty.
   */
  readonly kill: () => boolean;
  /** Removes the cgroup. Returns false if the cgroup still has processes. */
  readonly remove: () => boolean;
};

/** Folders of one cgroup by controller. In cgroups version 2, all controllers have the same folder. */
export type CgroupFolders = ReadonlyMap<string, string>;

/**
 * Error codes if a process has exited, if a cgroup was removed, or if the hub cannot access a cgroup. The hub
 * cannot access a cgroup for which it has no permission. It also cannot access a threaded cgroup, which has
 * no list of processes.
 */
const INACCESSIBLE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EPERM', 'ENOTSUP']);

/** Link count of a folder without subfolders. */
const LINKS_OF_EMPTY = 2;

export function openCgroup(folders: CgroupFolders, layout: CgroupLayout): Cgroup {
  const allFolders = [...new Set(folders.values())];
  const procsFiles = allFolders.map(folder => join(folder, 'cgroup.procs'));
  const limited = new Set<LimitName>();

  const pathOf = ({ controller, file }: { controller: string; file: string }): string | undefined => {
    const folder = folders.get(controller);
    return folder === undefined ? undefined : join(folder, file);
  };

  const setFile = (file: LimitFile, value: number | undefined): string | undefined => {
    const path = pathOf(file);
    if (path === undefined || !existsSync(path)) return `the kernel has no ${file.file}`;
    try {
      writeFileSync(path, value === undefined ? file.unlimited : file.text(value));
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  };

  const setLimit = (name: LimitName, value: number | undefined): string | undefined => {
    const { anyOf, also } = layout.limits[name];
    let problem: string | undefined = 'not supported by this cgroup version';
    for (const file of anyOf) {
      problem = setFile(file, value);
      if (problem !== undefined && also.length > 0) {
        // In cgroups version 1, the memory limit must not exceed the limit of memory plus swap. The file of
        // this second limit is in `also`. The files in `also` are therefore written first, and the memory
        // limit is then written again.
        for (const other of also) setFile(other, value);
        problem = setFile(file, value);
      }
      if (problem === undefined) break;
    }
    if (problem === undefined) for (const file of also) setFile(file, value);
    return problem;
  };

  const members = (): number[] => allFolders.flatMap(membersIn);

  const isEmptyFolder = (folder: string): boolean => {
    const populated = layout.events && readCount(join(folder, layout.events), 'populated');
    return populated === undefined ? membersIn(folder).length === 0 : populated === 0;
  };

  return {
    procsFiles,
    child: name => {
      const inside = new Map([...folders].map(([controller, folder]) => [controller, join(folder, name)]));
      const created = ifAccessible(() => {
        for (const folder of new Set(inside.values())) mkdirSync(folder, { recursive: true });
        return true;
      });
      return created === undefined ? undefined : openCgroup(inside, layout);
    },
    pids: () => [...new Set(members())],
    nonMembers: pids => {
      const inside = allFolders.map(folder => new Set(membersIn(folder)));
      return pids.filter(pid => !inside.every(some => some.has(pid)));
    },
    limit: limits => {
      const problems = new Map<LimitName, string>();
      for (const name of limitNames(limits, limited)) {
        const problem = setLimit(name, limits[name]);
        if (problem !== undefined) problems.set(name, problem);
        else limited.add(name);
      }
      return problems;
    },
    usage: () => {
      const usage: Record<string, number> = {};
      for (const name of COUNTS) {
        const count = layout.counts[name];
        const path = pathOf(count);
        const value = path === undefined ? undefined : readCount(path, count.key);
        if (value !== undefined) usage[name] = value * (count.factor ?? 1);
      }
      return usage;
    },
    kill: () => {
      if (allFolders.every(isEmptyFolder)) return true;
      const killed = allFolders.some(folder => writeIfThere(join(folder, 'cgroup.kill'), '1'));
      if (!killed) {
        const { controller, file, on, off } = layout.freeze;
        const freezer = folders.get(controller);
        if (freezer !== undefined) writeIfThere(join(freezer, file), on);
        for (const pid of members()) killOne(pid);
        // Thaws child cgroups too. A module can freeze its own child cgroups, and frozen processes do not
        // handle SIGKILL.
        const frozen = freezer === undefined ? [] : foldersIn(freezer);
        for (const folder of frozen) writeIfThere(join(folder, file), off);
      }
      return false;
    },
    remove: () => allFolders.map(removeFolder).every(removed => removed),
  };
}

/**
 * Returns the names of the limits that must be written: the requested limits, and the limits that were set
 * before.
 */
function limitNames(limits: ModuleLimits, before: ReadonlySet<LimitName>): LimitName[] {
  return LIMITS.filter(name => limits[name] !== undefined || before.has(name));
}

/** Returns the pids in a cgroup and in its child cgroups. A module can create child cgroups itself. */
function membersIn(folder: string): number[] {
  return foldersIn(folder).flatMap(one => pidsIn(join(one, 'cgroup.procs')));
}

/** Returns the folder of a cgroup and the folders of all its descendants. */
function foldersIn(folder: string): string[] {
  // The link count shows whether there are subfolders. Listing the folder would take ten times as long.
  const links = ifAccessible(() => statSync(folder))?.nlink;
  if (links === LINKS_OF_EMPTY) return [folder];
  const inner = ifAccessible(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  const groups = inner.filter(entry => entry.isDirectory());
  return [folder, ...groups.flatMap(({ name }) => foldersIn(join(folder, name)))];
}

function pidsIn(procsFile: string): number[] {
  return (readIfThere(procsFile) ?? '')
    .split('\n')
    .map(Number)
    .filter(pid => pid > 0);
}

/** Returns the value of a counter. Undefined if the file or the key does not exist. */
function readCount(path: string, key: string | undefined): number | undefined {
  const text = readCounter(path);
  if (text === undefined) return undefined;
  if (key === undefined) return Number(text);
  const line = text.split('\n').find(one => one.startsWith(`${key} `));
  return line === undefined ? undefined : Number(line.slice(key.length + 1));
}

/** Reads a counter file. Undefined after a system error, because the resource usage is only informative. */
function readCounter(path: string): string | undefined {
  try {
    return readKernelFile(path);
  } catch (error) {
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  return ifAccessible(() => readKernelFile(path));
}

function writeIfThere(path: string, text: string): boolean {
  if (!existsSync(path)) return false;
  const written = ifAccessible(() => {
    writeFileSync(path, text);
    return true;
  });
  return written ?? false;
}

function killOne(pid: number): void {
  ifAccessible(() => process.kill(pid, 'SIGKILL'));
}

function removeFolder(folder: string): boolean {
  return foldersIn(folder)
    .reverse()
    .map(removeOne)
    .every(removed => removed);
}

function removeOne(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    if (systemCode(error) === 'EBUSY') return false;
    throw error;
  }
}

/**
 * Returns the result of `use`. Undefined if the process, cgroup or file does not exist or cannot be accessed.
 */
function ifAccessible<Result>(use: () => Result): Result | undefined {
  try {
    return use();
  } catch (error) {
    const code = systemCode(error);
    if (code !== undefined && INACCESSIBLE.has(code)) return undefined;
    throw error;
  }
}
