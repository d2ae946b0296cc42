import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import type { StartError } from '../process/start-error.ts';

/** User that a module runs as. */
export type Account = {
  readonly uid: number;
  readonly gid: number;
  /** Gids of the supplementary groups. */
  readonly groups: readonly number[];
};

/** Range of uids from `first` to `last`. */
type Range = { readonly first: number; readonly last: number };

/**
 * Uid ranges of dynamic users. The second range is for containers whose user namespace ends at 65535. The
 * ranges do not overlap with the uids of systemd (61184 to 65519 for DynamicUser, from 524288 for
 * containers), of subuid(5) (from 100000), or of Debian's accounts.
 */
const DYNAMIC: readonly [Range, Range] = [
  { first: 70_000, last: 89_999 },
  { first: 60_706, last: 61_183 },
];

/** Fields of a line in /etc/passwd or a similar file, where colons separate the fields. */
type Row = readonly string[];

/**
 * Returns the account of a user name or uid. A uid without an entry in `passwd` is accepted. Returns a start
 * error for an unknown name.
 */
export function accountOf(user: string, passwd = '/etc/passwd', group = '/etc/group'): Account | StartError {
  const rows = rowsOf(passwd);
  const [name, , uid, gid] = rows.find(([name, , uid]) => name === user || uid === user) ?? [];
  if (name !== undefined) {
    const member = rowsOf(group).filter(row => row[3]?.split(',').includes(name));
    return { uid: Number(uid), gid: Number(gid), groups: member.map(row => Number(row[2])) };
  }
  if (/^\d{1,9}$/.test(user)) return { uid: Number(user), gid: Number(user), groups: [] };
  const reason = `Unknown user "${user}" in ${passwd}: set an existing user, a number, or "dynamic".`;
  return { reason, transient: false };
}

/**
 * Returns the account of the dynamic user of a module. If a dynamic user already owns the module's folder,
 * returns this user. Otherwise the uid is derived from the module's name. `taken` contains the uids of other
 * modules.
 */
export function dynamicAccount(module: string, folder: string, taken: ReadonlySet<number>): Account {
  const { first, last } = dynamicRange();
  const owner = ownerOf(folder);
  if (owner !== undefined && owner >= first && owner <= last && !taken.has(owner)) return accountWith(owner);
  const accounts = new Set(rowsOf('/etc/passwd').map(row => Number(row[2])));
  const count = last - first + 1;
  let uid = first + (hashOf(module) % count);
  for (let tries = 1; tries < count && (taken.has(uid) || accounts.has(uid)); tries += 1)
    uid = first + ((uid - first + 1) % count);
  return accountWith(uid);
}

/**
 * Returns the first range that the user namespace maps completely (user_namespaces(7)). `map` is the path of
 * /proc/self/uid_map.
 */
export function dynamicRange(map = '/proc/self/uid_map'): Range {
  const rows = rowsOf(map).map(([row = '']) => row.trim().split(/ +/).map(Number));
  const has = ({ first, last }: Range): boolean =>
    rows.some(([inside = 0, , count = 0]) => inside <= first && last < inside + count);
  const [usual, small] = DYNAMIC;
  return has(usual) || !has(small) ? usual : small;
}

/**
 * Returns true if the mode of a file grants a user all permissions in `bits`: 4 to read, 2 to write, 1 to
 * execute or enter.
 */
export function hasPermission(file: string, { uid, gid, groups }: Account, bits: number): boolean {
  if (uid === 0) return true;
  const stat = statSync(file);
  const shift = stat.uid === uid ? 6 : stat.gid === gid || groups.includes(stat.gid) ? 3 : 0;
  return ((stat.mode >> shift) & bits) === bits;
}

function accountWith(uid: number): Account {
  return { uid, gid: uid, groups: [] };
}

function ownerOf(folder: string): number | undefined {
  return lstatSync(folder, { throwIfNoEntry: false })?.uid;
}

/**
 * Returns the uids that own the folders of all other modules. Includes folders of modules that were removed.
 */
export function otherFolderOwners(folder: string): number[] {
  const all = dirname(folder);
  if (statSync(all, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const others = readdirSync(all).filter(name => name !== basename(folder));
  return others.map(name => ownerOf(join(all, name))).filter(owner => owner !== undefined);
}

/** Returns the 32-bit FNV-1a hash of a text. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

function rowsOf(file: string): Row[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map(line => line.split(':'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
