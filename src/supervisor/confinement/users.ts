import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import type { Fault } from '../process/start-error.ts';

/** Who a module runs as. */
export type Account = {
  readonly uid: number;
  readonly gid: number;
  /** Further groups. */
  readonly groups: readonly number[];
};

/** Numbers from `first` to `last`. */
type Range = { readonly first: number; readonly last: number };

/**
 * Ranges of dynamic users, the first that the system has here. Neither systemd (61184 to 65519 for DynamicUser, 524288 and
 * above for containers) nor the ranges of subuid(5), from 100000 on, nor accounts of Debian are in them. The second is for a
 * container whose user name space ends at 65535.
 */
const DYNAMIC: readonly [Range, Range] = [
  { first: 70_000, last: 89_999 },
  { first: 60_706, last: 61_183 },
];

type Row = readonly string[];

/** A user by its name or number; a Fault names what is wrong. The number of nobody's account is taken as it is. */
export function accountOf(user: string, passwd = '/etc/passwd', group = '/etc/group'): Account | Fault {
  const rows = rowsOf(passwd);
  const [name, , uid, gid] = rows.find(([name, , uid]) => name === user || uid === user) ?? [];
  if (name !== undefined) {
    const member = rowsOf(group).filter(row => row[3]?.split(',').includes(name));
    return { uid: Number(uid), gid: Number(gid), groups: member.map(row => Number(row[2])) };
  }
  if (/^\d{1,9}$/.test(user)) return { uid: Number(user), gid: Number(user), groups: [] };
  const reason = `There is no user "${user}" in ${passwd}: name one that is there, a number, or "dynamic".`;
  return { reason, passing: false };
}

/**
 * A user that is nobody else's: always the same for a module, by its name, unless that is taken by another module. A
 * folder of the module that is there already tells which it was.
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

/** The first range that this user name space has all of (user_namespaces(7)); `map` is its /proc/self/uid_map. */
export function dynamicRange(map = '/proc/self/uid_map'): Range {
  const rows = rowsOf(map).map(([row = '']) => row.trim().split(/ +/).map(Number));
  const has = ({ first, last }: Range): boolean =>
    rows.some(([inside = 0, , count = 0]) => inside <= first && last < inside + count);
  const [usual, small] = DYNAMIC;
  return has(usual) || !has(small) ? usual : small;
}

/** Whether somebody may pass a file's mode bits: `bits` of 4 to read, 2 to write, 1 to execute or enter. */
export function mayPass(file: string, { uid, gid, groups }: Account, bits: number): boolean {
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

/** Whose the folders beside a module's own are: also those of modules that are no more, whose data lies there yet. */
export function ownersBeside(folder: string): number[] {
  const all = dirname(folder);
  if (statSync(all, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const others = readdirSync(all).filter(name => name !== basename(folder));
  return others.map(name => ownerOf(join(all, name))).filter(owner => owner !== undefined);
}

/** FNV-1a, 32 bits. */
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
