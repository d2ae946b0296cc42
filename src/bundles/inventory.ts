import { MAX_BUNDLE_NAMES_BYTES } from './limits.ts';
import { follow, whereLeads } from './links.ts';
import { objectionTo, partsOf, quoted } from './names.ts';
import type { Entry } from './tar.ts';
import type { Refuse } from './types.ts';

/** What lies at a path of a bundle. `mode` has no bit for writing. */
export type Item =
  | { readonly kind: 'folder'; readonly mode: number; readonly stated: boolean }
  | { readonly kind: 'file'; readonly mode: number; readonly size: number }
  | { readonly kind: 'symlink'; readonly target: string }
  /** Another name of the file at the path `target`. */
  | { readonly kind: 'link'; readonly target: string };

/** What an archive holds, checked entry by entry. */
export type Inventory = {
  /** Takes an entry in and returns where it goes, and the folders on the way there that were not named before it. */
  readonly admit: (entry: Entry) => Admitted;
  /** Looks at what can only be judged when all is known. */
  readonly finish: () => void;
  readonly items: ReadonlyMap<string, Item>;
  /** The folder or file that a path leads to from the bundle's own folder, with all links followed; undefined if there is none. */
  readonly find: (path: string) => FoundItem | undefined;
  /** Bytes of all files. */
  readonly bytes: () => number;
};

export type FoundItem = Extract<Item, { readonly kind: 'folder' | 'file' }>;

export type Admitted = { readonly path: string; readonly item: Item; readonly folders: readonly string[] };

const ROOT_MODE = 0o555;
const NOT_WRITABLE = 0o555;
const OWNER_READS = 0o400;
const OWNER_ENTERS = 0o500;

/** What cannot be in a bundle, by tar-stream's word for it. */
const REFUSED: Readonly<Record<string, string>> = {
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a pipe',
  S: 'a sparse file: make the archive without "--sparse"',
};

/** An inventory that takes at most `size` bytes and `files` entries. Throws what `refuse` makes. */
export function createInventory(bounds: { size: number; files: number }, refuse: Refuse): Inventory {
  // By paths without "." and double slashes; '' is the bundle's own folder.
  const items = new Map<string, Item>([['', { kind: 'folder', mode: ROOT_MODE, stated: false }]]);
  let bytes = 0;
  let nameBytes = 0;

  const put = (path: string, item: Item): void => {
    nameBytes += Buffer.byteLength(path);
    if (!items.has(path) && items.size > bounds.files) {
      throw refuse(`holds more than ${bounds.files} files and folders, which is all that its "files" allows`);
    }
    if (nameBytes > MAX_BUNDLE_NAMES_BYTES) {
      throw refuse(`holds names of more than ${MAX_BUNDLE_NAMES_BYTES} bytes together`);
    }
    items.set(path, item);
  };

  const foldersTo = (parts: readonly string[], name: string): string[] => {
    const made: string[] = [];
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      const item = items.get(path);
      if (item?.kind === 'folder') continue;
      if (item !== undefined) throw refuse(`holds ${quoted(name)} below ${quoted(path)}, which is no folder`);
      put(path, { kind: 'folder', mode: NOT_WRITABLE, stated: false });
      made.push(path);
    }
    return made;
  };

  const add = (size: number): void => {
    bytes += size;
    if (bytes > bounds.size) {
      throw refuse(`holds more than ${bounds.size} bytes, which is all that its "size" allows`);
    }
  };

  const linkTo = (entry: Entry): Item => {
    const target = pathOf(entry.linkname, refuse, `${quoted(entry.name)}, a link to `).join('/');
    if (items.get(target)?.kind !== 'file') {
      throw refuse(
        `holds ${quoted(entry.name)}, a link to ${quoted(entry.linkname)}, which is no file before it`,
      );
    }
    return { kind: 'link', target };
  };

  const targetOf = (path: string): string | undefined => {
    const item = items.get(path);
    return item?.kind === 'symlink' ? item.target : undefined;
  };

  const itemOf = (entry: Entry): Item => {
    if (entry.sparse) throw refuse(`holds ${quoted(entry.name)}, ${REFUSED['S']}`);
    if (entry.type === 'directory') {
      return { kind: 'folder', mode: (entry.mode & NOT_WRITABLE) | OWNER_ENTERS, stated: true };
    }
    if (entry.type === 'file') {
      add(entry.size);
      return { kind: 'file', mode: (entry.mode & NOT_WRITABLE) | OWNER_READS, size: entry.size };
    }
    if (entry.type === 'link') return linkTo(entry);
    if (entry.type !== 'symlink') throw refuse(`holds ${quoted(entry.name)}, ${complaintOf(entry.type)}`);
    const objection = entry.linkname === '' ? 'nothing' : objectionTo(entry.linkname);
    if (objection === undefined) return { kind: 'symlink', target: entry.linkname };
    throw refuse(`holds ${quoted(entry.name)}, a link to ${quoted(entry.linkname)}, ${objection}`);
  };

  return {
    items,
    bytes: () => bytes,
    admit: entry => {
      const parts = pathOf(entry.name, refuse, '');
      const path = parts.join('/');
      const folders = foldersTo(parts, entry.name);
      const item = itemOf(entry);
      if (entry.size > 0 && item.kind !== 'file')
        throw refuse(`holds ${quoted(entry.name)}, which has content and is no file`);
      if (item.kind === 'file' && entry.name.endsWith('/')) {
        throw refuse(`holds ${quoted(entry.name)}, a file with the name of a folder`);
      }
      const before = items.get(path);
      const renewed = before?.kind === 'folder' && !before.stated && item.kind === 'folder';
      if (before !== undefined && !renewed) throw refuse(`holds ${quoted(entry.name)} twice`);
      put(path, path === '' ? { kind: 'folder', mode: ROOT_MODE, stated: true } : item);
      return { path, item, folders: renewed || item.kind !== 'folder' ? folders : [...folders, path] };
    },
    find: path => {
      const reached = follow([], path, targetOf);
      if (typeof reached === 'string') return undefined;
      const item = items.get(reached.join('/'));
      const found = item?.kind === 'link' ? items.get(item.target) : item;
      return found?.kind === 'file' || found?.kind === 'folder' ? found : undefined;
    },
    finish: () => {
      for (const [path, item] of items) {
        if (item.kind !== 'symlink') continue;
        const leads = whereLeads(path, item.target, targetOf);
        if (leads === 'inside') continue;
        const complaint = leads === 'outside' ? 'which leads out of it' : 'which leads in a circle';
        throw refuse(`holds ${quoted(path)}, a link to ${quoted(item.target)}, ${complaint}`);
      }
      const some = Array.from(items.values()).some(({ kind }) => kind === 'file');
      if (!some) throw refuse('holds no file');
    },
  };
}

function complaintOf(type: string): string {
  return REFUSED[type] ?? `which is of a kind that a bundle cannot hold ("${type}")`;
}

/** The parts of a name that leads to somewhere within the bundle. `before` stands before it in the sentence. */
function pathOf(name: string, refuse: Refuse, before: string): string[] {
  if (name === '') throw refuse(before === '' ? 'holds an entry without a name' : `holds ${before}nothing`);
  const objection =
    objectionTo(name) ?? (name.split('/').includes('..') ? 'a name with ".." in it' : undefined);
  if (objection !== undefined) throw refuse(`holds ${before}${quoted(name)}, ${objection}`);
  return partsOf(name);
}
