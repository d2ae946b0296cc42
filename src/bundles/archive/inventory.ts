import { MAX_BUNDLE_NAMES_BYTES } from '../limits.ts';
import type { Refuse } from '../types.ts';
import { nameProblem, pathParts, quoted } from './entry-names.ts';
import { followLinks, linkDestination } from './symlinks.ts';
import type { TarEntry } from './tar.ts';

/**
 * Item at a path of a bundle. `mode` has no write permission. `stated` is false for a folder that has no
 * entry of its own in the archive.
 */
export type BundleItem =
  | { readonly kind: 'folder'; readonly mode: number; readonly stated: boolean }
  | { readonly kind: 'file'; readonly mode: number; readonly size: number }
  | { readonly kind: 'symlink'; readonly target: string }
  /** Hard link to the file at the path `target`. */
  | { readonly kind: 'link'; readonly target: string };

/** Content of an archive. Each entry is checked against path traversal and the bounds of the bundle. */
export type Inventory = {
  /** Checks an entry and adds it. Returns its path and the parent folders that must be created first. */
  readonly add: (entry: TarEntry) => AddedEntry;
  /**
   * Checks the targets of symbolic links, and that the archive contains a file. Called after the last entry.
   */
  readonly validate: () => void;
  readonly items: ReadonlyMap<string, BundleItem>;
  /** Resolves a path to a folder or file, following all links. Undefined if the path leads to neither. */
  readonly find: (path: string) => FoundItem | undefined;
  /** Returns the total bytes of all files. */
  readonly bytes: () => number;
};

export type FoundItem = Extract<BundleItem, { readonly kind: 'folder' | 'file' }>;

export type AddedEntry = {
  readonly path: string;
  readonly item: BundleItem;
  readonly folders: readonly string[];
};

const ROOT_MODE = 0o555;
const NOT_WRITABLE = 0o555;
const OWNER_READS = 0o400;
const OWNER_ENTERS = 0o500;

/** Entry types that a bundle must not contain, by tar-stream's names. */
const REFUSED_TYPES: Readonly<Record<string, string>> = {
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a pipe',
  S: 'a sparse file: make the archive without "--sparse"',
};

/**
 * Creates an inventory of at most `size` bytes and `files` entries. Its functions throw errors created by
 * `refuse`.
 */
export function createInventory(bounds: { size: number; files: number }, refuse: Refuse): Inventory {
  // Keys are paths without "." and double slashes. The root folder of the bundle has the key ''.
  const items = new Map<string, BundleItem>([['', { kind: 'folder', mode: ROOT_MODE, stated: false }]]);
  let bytes = 0;
  let nameBytes = 0;

  const put = (path: string, item: BundleItem): void => {
    nameBytes += Buffer.byteLength(path);
    if (!items.has(path) && items.size > bounds.files) {
      throw refuse(`holds more than ${bounds.files} files and folders, the limit by its "files"`);
    }
    if (nameBytes > MAX_BUNDLE_NAMES_BYTES) {
      throw refuse(`holds names of more than ${MAX_BUNDLE_NAMES_BYTES} bytes in total`);
    }
    items.set(path, item);
  };

  const foldersTo = (parts: readonly string[], name: string): string[] => {
    const missing: string[] = [];
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      const item = items.get(path);
      if (item?.kind === 'folder') continue;
      if (item !== undefined)
        throw refuse(`holds ${quoted(name)} below ${quoted(path)}, which is not a folder`);
      put(path, { kind: 'folder', mode: NOT_WRITABLE, stated: false });
      missing.push(path);
    }
    return missing;
  };

  const countBytes = (size: number): void => {
    bytes += size;
    if (bytes > bounds.size) {
      throw refuse(`holds more than ${bounds.size} bytes, the limit by its "size"`);
    }
  };

  const hardLink = (entry: TarEntry): BundleItem => {
    const target = pathOf(entry.linkname, refuse, `${quoted(entry.name)}, a hard link to `).join('/');
    if (items.get(target)?.kind !== 'file') {
      throw refuse(
        `holds ${quoted(entry.name)}, a hard link to ${quoted(entry.linkname)}, which is not an earlier file`,
      );
    }
    return { kind: 'link', target };
  };

  const targetOf = (path: string): string | undefined => {
    const item = items.get(path);
    return item?.kind === 'symlink' ? item.target : undefined;
  };

  const itemOf = (entry: TarEntry): BundleItem => {
    if (entry.sparse) throw refuse(`holds ${quoted(entry.name)}, ${REFUSED_TYPES['S']}`);
    if (entry.type === 'directory') {
      return { kind: 'folder', mode: (entry.mode & NOT_WRITABLE) | OWNER_ENTERS, stated: true };
    }
    if (entry.type === 'file') {
      countBytes(entry.size);
      return { kind: 'file', mode: (entry.mode & NOT_WRITABLE) | OWNER_READS, size: entry.size };
    }
    if (entry.type === 'link') return hardLink(entry);
    if (entry.type !== 'symlink') throw refuse(`holds ${quoted(entry.name)}, ${typeProblem(entry.type)}`);
    const problem = entry.linkname === '' ? 'nothing' : nameProblem(entry.linkname);
    if (problem === undefined) return { kind: 'symlink', target: entry.linkname };
    throw refuse(`holds ${quoted(entry.name)}, a link to ${quoted(entry.linkname)}, ${problem}`);
  };

  return {
    items,
    bytes: () => bytes,
    add: entry => {
      const parts = pathOf(entry.name, refuse, '');
      const path = parts.join('/');
      const folders = foldersTo(parts, entry.name);
      const item = itemOf(entry);
      if (entry.size > 0 && item.kind !== 'file')
        throw refuse(`holds ${quoted(entry.name)}, which has content but is not a file`);
      if (item.kind === 'file' && entry.name.endsWith('/')) {
        throw refuse(`holds ${quoted(entry.name)}, a file with the name of a folder`);
      }
      const before = items.get(path);
      const isImplicit = before?.kind === 'folder' && !before.stated && item.kind === 'folder';
      if (before !== undefined && !isImplicit) throw refuse(`holds ${quoted(entry.name)} twice`);
      put(path, path === '' ? { kind: 'folder', mode: ROOT_MODE, stated: true } : item);
      return { path, item, folders: isImplicit || item.kind !== 'folder' ? folders : [...folders, path] };
    },
    find: path => {
      const reached = followLinks([], path, targetOf);
      if (typeof reached === 'string') return undefined;
      const item = items.get(reached.join('/'));
      const found = item?.kind === 'link' ? items.get(item.target) : item;
      return found?.kind === 'file' || found?.kind === 'folder' ? found : undefined;
    },
    validate: () => {
      for (const [path, item] of items) {
        if (item.kind !== 'symlink') continue;
        const destination = linkDestination(path, item.target, targetOf);
        if (destination === 'inside') continue;
        const complaint =
          destination === 'outside' ? 'which points outside the bundle' : 'which is a symlink loop (ELOOP)';
        throw refuse(`holds ${quoted(path)}, a link to ${quoted(item.target)}, ${complaint}`);
      }
      const hasFile = Array.from(items.values()).some(({ kind }) => kind === 'file');
      if (!hasFile) throw refuse('holds no file');
    },
  };
}

function typeProblem(type: string): string {
  return REFUSED_TYPES[type] ?? `which has a type that a bundle cannot hold ("${type}")`;
}

/**
 * Returns the path of an entry as parts, checked against path traversal. `before` precedes the name in
 * errors.
 */
function pathOf(name: string, refuse: Refuse, before: string): string[] {
  if (name === '') throw refuse(before === '' ? 'holds an entry without a name' : `holds ${before}nothing`);
  const problem =
    nameProblem(name) ?? (name.split('/').includes('..') ? 'a name with ".." in it' : undefined);
  if (problem !== undefined) throw refuse(`holds ${before}${quoted(name)}, ${problem}`);
  return pathParts(name);
}
