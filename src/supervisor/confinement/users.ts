import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import type { Fault } from '../fault.ts';

/** Who a module runs as. */
export type Account = {
  readonly uid: number;
  readonly gid: number;
  /** Further groups. */
  readonly groups: readonly number[];
};

/** The range that systemd gives dynamic users, too: no account of Debian's is in it. */
const DYNAMIC_FIRST = 61_184;
const DYNAMIC_COUNT = 65_519 - DYNAMIC_FIRST + 1;

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
  const owner = ownerOf(folder);
  if (owner !== undefined && isDynamic(owner) && !taken.has(owner)) return accountWith(owner);
  let uid = DYNAMIC_FIRST + (hashOf(module) % DYNAMIC_COUNT);
  while (taken.has(uid)) uid = DYNAMIC_FIRST + ((uid - DYNAMIC_FIRST + 1) % DYNAMIC_COUNT);
  return accountWith(uid);
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

function isDynamic(uid: number): boolean {
  return uid >= DYNAMIC_FIRST && uid < DYNAMIC_FIRST + DYNAMIC_COUNT;
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
