import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { readKernelFile } from '../../core/proc.ts';
import type { CgroupLayout, CountName, LimitFile, LimitName } from './cgroup-files.ts';
import { COUNTS, LIMITS } from './cgroup-files.ts';

/** Resource limits of one module. Memory in bytes, `cpu` in processors; undefined for no limit. */
export type ModuleLimits = { readonly [Name in LimitName]?: number | undefined };

/**
 * Resource usage of one module, `cpuMs` of processor time. Undefined if the kernel does not count it here.
 */
export type ModuleUsage = { readonly [Name in CountName]?: number | undefined };

/** Cgroup of one module with all its descendants, including those that left the process group. */
export type Cgroup = {
  /** `cgroup.procs` files. A process joins the cgroup when its pid is written to them. */
  readonly procsFiles: readonly string[];
  /** Pids of all member processes, including those in child cgroups. */
  readonly pids: () => number[];
  /** Creates a child cgroup. Undefined if the system does not permit it. */
  readonly child: (name: string) => Cgroup | undefined;
  /** Filters the pids that are not members in all hierarchies. */
  readonly nonMembers: (pids: readonly number[]) => number[];
  /** Sets the limits, also for running members. Returns the limits that failed, each with the reason. */
  readonly limit: (limits: ModuleLimits) => ReadonlyMap<LimitName, string>;
  readonly usage: () => ModuleUsage;
  /**
   * Sends SIGKILL to all members: atomically by `cgroup.kill` if the kernel has it, otherwise after freezing
   * them. Returns true if there was no member.
   */
  readonly kill: () => boolean;
  /** Removes the empty cgroup. Returns false if it is not empty or not removable yet. */
  readonly remove: () => boolean;
};

/** Folders of one cgroup by controller. In version 2 all are the same folder. */
export type CgroupFolders = ReadonlyMap<string, string>;

/**
 * Error codes of processes and cgroups that are gone, may not be touched, or are threaded (no process list).
 */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EPERM', 'ENOTSUP']);

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
    let refusal: string | undefined = 'not supported by this cgroup version';
    for (const file of anyOf) {
      refusal = setFile(file, value);
      if (refusal !== undefined && also.length > 0) {
        // In version 1 the memory limit cannot exceed the limit of memory plus swap, so that limit is raised
        // first.
        for (const other of also) setFile(other, value);
        refusal = setFile(file, value);
      }
      if (refusal === undefined) break;
    }
    if (refusal === undefined) for (const file of also) setFile(file, value);
    return refusal;
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
      const made = unlessGone(() => {
        for (const folder of new Set(inside.values())) mkdirSync(folder, { recursive: true });
        return true;
      });
      return made === undefined ? undefined : openCgroup(inside, layout);
    },
    pids: () => [...new Set(members())],
    nonMembers: pids => {
      const inside = allFolders.map(folder => new Set(membersIn(folder)));
      return pids.filter(pid => !inside.every(some => some.has(pid)));
    },
    limit: limits => {
      const refusals = new Map<LimitName, string>();
      for (const name of limitNames(limits, limited)) {
        const refusal = setLimit(name, limits[name]);
        if (refusal !== undefined) refusals.set(name, refusal);
        else limited.add(name);
      }
      return refusals;
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
        // Thaw child cgroups too: processes that the module froze would not die.
        const frozen = freezer === undefined ? [] : foldersIn(freezer);
        for (const folder of frozen) writeIfThere(join(folder, file), off);
      }
      return false;
    },
    remove: () => allFolders.map(removeFolder).every(gone => gone),
  };
}

/** ModuleLimits to write: the requested ones, and those set before that are no longer requested. */
function limitNames(limits: ModuleLimits, before: ReadonlySet<LimitName>): LimitName[] {
  return LIMITS.filter(name => limits[name] !== undefined || before.has(name));
}

/** Includes child cgroups, because a module may create them and move into them. */
function membersIn(folder: string): number[] {
  return foldersIn(folder).flatMap(one => pidsIn(join(one, 'cgroup.procs')));
}

/** Folder of a cgroup and the folders of all its descendants. */
function foldersIn(folder: string): string[] {
  // The link count shows the number of subfolders, usually none. Listing would cost ten times as much.
  const links = unlessGone(() => statSync(folder))?.nlink;
  if (links === LINKS_OF_EMPTY) return [folder];
  const inner = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  const groups = inner.filter(entry => entry.isDirectory());
  return [folder, ...groups.flatMap(({ name }) => foldersIn(join(folder, name)))];
}

function pidsIn(procsFile: string): number[] {
  return (readIfThere(procsFile) ?? '')
    .split('\n')
    .map(Number)
    .filter(pid => pid > 0);
}

/** Undefined if the kernel does not count it here, or the file cannot be read now. */
function readCount(path: string, key: string | undefined): number | undefined {
  const text = readable(path);
  if (text === undefined) return undefined;
  if (key === undefined) return Number(text);
  const line = text.split('\n').find(one => one.startsWith(`${key} `));
  return line === undefined ? undefined : Number(line.slice(key.length + 1));
}

/** ModuleUsage is only informative, so system errors are ignored. */
function readable(path: string): string | undefined {
  try {
    return readKernelFile(path);
  } catch (error) {
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  return unlessGone(() => readKernelFile(path));
}

function writeIfThere(path: string, text: string): boolean {
  if (!existsSync(path)) return false;
  const written = unlessGone(() => {
    writeFileSync(path, text);
    return true;
  });
  return written ?? false;
}

function killOne(pid: number): void {
  unlessGone(() => process.kill(pid, 'SIGKILL'));
}

function removeFolder(folder: string): boolean {
  return foldersIn(folder)
    .reverse()
    .map(removeOne)
    .every(gone => gone);
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

/** Returns undefined if the process, cgroup or file disappeared meanwhile. */
function unlessGone<Result>(use: () => Result): Result | undefined {
  try {
    return use();
  } catch (error) {
    const code = systemCode(error);
    if (code !== undefined && GONE.has(code)) return undefined;
    throw error;
  }
}
