import { scrypt, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** The parameters of RFC 7914, 2: `ln` is the binary logarithm of N. */
type Cost = { readonly ln: number; readonly r: number; readonly p: number };

type StoredHash = Cost & { readonly salt: Buffer; readonly hash: Buffer };

/** 8 MB for each comparison: what a hub of 256 MB can spare. */
const COST: Cost = { ln: 13, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** What a hash may ask for: 128 MB. */
const MAX_LN = 17;
const MAX_R = 8;
const MAX_P = 4;

/** The PHC string format, as passlib and others write it. */
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** A line `$scrypt$ln=13,r=8,p=1$<salt>$<hash>`, from which nobody finds the password. */
export async function hashPassword(password: Buffer, random: Random): Promise<string> {
  const salt = random.bytes(SALT_BYTES);
  const hash = await derive(password, { ...COST, salt }, HASH_BYTES);
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${textOf(salt)}$${textOf(hash)}`;
}

/** Whether a password is the one of a line. Rejects if there is no memory for it. */
export async function verifyPassword(password: Buffer, line: string): Promise<boolean> {
  const stored = parse(line);
  if (stored === undefined) return false;
  const hash = await derive(password, stored, stored.hash.length);
  return timingSafeEqual(hash, stored.hash);
}

/** True for a line that `verifyPassword` understands. */
export function isPasswordHash(line: string): boolean {
  return parse(line) !== undefined;
}

function parse(line: string): StoredHash | undefined {
  const [, ln = '', r = '', p = '', salt = '', hash = ''] = PHC.exec(line) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const inRange = within(cost.ln, MAX_LN) && within(cost.r, MAX_R) && within(cost.p, MAX_P);
  return inRange
    ? { ...cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
    : undefined;
}

function within(value: number, most: number): boolean {
  return value >= 1 && value <= most;
}

/** Works on a thread of its own. */
function derive(
  password: Buffer,
  { ln, r, p, salt }: Cost & { salt: Buffer },
  bytes: number,
): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 2 * 128 * r * (2 ** ln + p) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

/** Base64 without its padding, as the PHC format has it. */
function textOf(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
