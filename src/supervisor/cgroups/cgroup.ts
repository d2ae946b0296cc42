import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { readKernelFile } from '../../core/proc.ts';
import type { CountName, Layout, LimitFile, LimitName } from './cgroup-files.ts';
import { COUNTS, LIMITS } from './cgroup-files.ts';

/** Bounds of one module; undefined: none. Memory in bytes, `cpu` in processors. */
export type Limits = { readonly [Name in LimitName]?: number | undefined };

/** What a module uses. Memory in bytes, `cpu` in milliseconds of a processor; undefined: it is not counted here. */
export type Usage = { readonly [Name in CountName]?: number | undefined };

/** The control group of one module: all its processes, wherever they went. */
export type ControlGroup = {
  /** Files into which a process writes its pid to become a member. */
  readonly doors: readonly string[];
  /** Its processes, and those of the groups within it. */
  readonly pids: () => number[];
  /** Makes a group within it, so far as the system lets it. */
  readonly inner: (name: string) => ControlGroup | undefined;
  /** Those of the processes that are not inside, or not in all parts of it. */
  readonly outside: (pids: readonly number[]) => number[];
  /** Sets the limits, at once for those that are inside; returns those that could not be set, and why. */
  readonly limit: (limits: Limits) => ReadonlyMap<LimitName, string>;
  readonly usage: () => Usage;
  /** Kills all that are inside, by one blow where the kernel can, else stopped first; true: nobody was. */
  readonly kill: () => boolean;
  /** Removes the group, which must be empty; false: it is not, or not yet. */
  readonly remove: () => boolean;
};

/** The folders of one group, by controller: one and the same in version 2. */
export type GroupFolders = ReadonlyMap<string, string>;

/** Codes of what is no more, may not be touched, or (a group of threads) tells of no processes. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EPERM', 'ENOTSUP']);

/** Links of a folder without others in it. */
const LINKS_OF_EMPTY = 2;

export function controlGroup(folders: GroupFolders, layout: Layout): ControlGroup {
  const places = [...new Set(folders.values())];
  const doors = places.map(folder => join(folder, 'cgroup.procs'));
  const limited = new Set<LimitName>();

  const pathOf = ({ controller, file }: { controller: string; file: string }): string | undefined => {
    const folder = folders.get(controller);
    return folder === undefined ? undefined : join(folder, file);
  };

  const setFile = (file: LimitFile, value: number | undefined): string | undefined => {
    const path = pathOf(file);
    if (path === undefined || !existsSync(path)) return `there is no ${file.file} here`;
    try {
      writeFileSync(path, value === undefined ? file.unlimited : file.text(value));
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  };

  const setLimit = (name: LimitName, value: number | undefined): string | undefined => {
    const { anyOf, also } = layout.limits[name];
    let refusal: string | undefined = 'this version of control groups has none';
    for (const file of anyOf) {
      refusal = setFile(file, value);
      if (refusal !== undefined && also.length > 0) {
        // In version 1 memory cannot be raised beyond what memory and swap may be together.
        for (const other of also) setFile(other, value);
        refusal = setFile(file, value);
      }
      if (refusal === undefined) break;
    }
    if (refusal === undefined) for (const file of also) setFile(file, value);
    return refusal;
  };

  const members = (): number[] => places.flatMap(membersIn);

  const isEmptyFolder = (folder: string): boolean => {
    const populated = layout.events && readCount(join(folder, layout.events), 'populated');
    return populated === undefined ? membersIn(folder).length === 0 : populated === 0;
  };

  return {
    doors,
    inner: name => {
      const inside = new Map([...folders].map(([controller, folder]) => [controller, join(folder, name)]));
      const made = unlessGone(() => {
        for (const folder of new Set(inside.values())) mkdirSync(folder, { recursive: true });
        return true;
      });
      return made === undefined ? undefined : controlGroup(inside, layout);
    },
    pids: () => [...new Set(members())],
    outside: pids => {
      const inside = places.map(folder => new Set(membersIn(folder)));
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
      if (places.every(isEmptyFolder)) return true;
      const switched = places.some(folder => writeIfThere(join(folder, 'cgroup.kill'), '1'));
      if (!switched) {
        const { controller, file, on, off } = layout.freeze;
        const freezer = folders.get(controller);
        if (freezer !== undefined) writeIfThere(join(freezer, file), on);
        for (const pid of members()) killOne(pid);
        // Also the groups within: one that its module froze would not even die.
        const frozen = freezer === undefined ? [] : foldersIn(freezer);
        for (const folder of frozen) writeIfThere(join(folder, file), off);
      }
      return false;
    },
    remove: () => places.map(removeFolder).every(gone => gone),
  };
}

/** Those that are asked for, and those that were set before and are asked for no more. */
function limitNames(limits: Limits, before: ReadonlySet<LimitName>): LimitName[] {
  return LIMITS.filter(name => limits[name] !== undefined || before.has(name));
}

/** A module may have made groups within its own, and gone into them. */
function membersIn(folder: string): number[] {
  return foldersIn(folder).flatMap(one => pidsIn(join(one, 'cgroup.procs')));
}

/** A group's folder, and those of all groups within it. */
function foldersIn(folder: string): string[] {
  // Its links tell how many there are, mostly none: to list it would cost ten times as much.
  const links = unlessGone(() => statSync(folder))?.nlink;
  if (links === LINKS_OF_EMPTY) return [folder];
  const inner = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  const groups = inner.filter(entry => entry.isDirectory());
  return [folder, ...groups.flatMap(({ name }) => foldersIn(join(folder, name)))];
}

function pidsIn(door: string): number[] {
  return (readIfThere(door) ?? '')
    .split('\n')
    .map(Number)
    .filter(pid => pid > 0);
}

/** Undefined: it is not counted here, or cannot be read just now. */
function readCount(path: string, key: string | undefined): number | undefined {
  const text = readable(path);
  if (text === undefined) return undefined;
  if (key === undefined) return Number(text);
  const line = text.split('\n').find(one => one.startsWith(`${key} `));
  return line === undefined ? undefined : Number(line.slice(key.length + 1));
}

/** A count is no reason to fail for, whatever the machine is short of. */
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

/** Groups, processes and their files go while they are looked at. */
function unlessGone<Result>(use: () => Result): Result | undefined {
  try {
    return use();
  } catch (error) {
    const code = systemCode(error);
    if (code !== undefined && GONE.has(code)) return undefined;
    throw error;
  }
}
