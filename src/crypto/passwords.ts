import { scrypt, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** Cost parameters of scrypt (RFC 7914, section 2). `ln` is the binary logarithm of N. */
type Cost = { readonly ln: number; readonly r: number; readonly p: number };

type StoredHash = Cost & { readonly salt: Buffer; readonly hash: Buffer };

/** Cost of new hashes. One verification uses 8 MB, so a machine with 256 MB of memory suffices. */
const COST: Cost = { ln: 13, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Maximum `ln` of a hash from a manifest. The maximum values of `ln`, `r` and `p` together allow 128 MB of
 * memory.
 */
const MAX_LN = 17;

/** Maximum `r` of a hash from a manifest. */
const MAX_R = 8;

/** Maximum `p` of a hash from a manifest. */
const MAX_P = 4;

/** Pattern of a hash in PHC string format, which passlib and other tools write. */
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** Hashes a password with scrypt. Returns the line `$scrypt$ln=13,r=8,p=1$<salt>$<hash>`. */
export async function hashPassword(password: Buffer, random: Random): Promise<string> {
  const salt = random.bytes(SALT_BYTES);
  const hash = await derive(password, { ...COST, salt }, HASH_BYTES);
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${textOf(salt)}$${textOf(hash)}`;
}

/**
 * Returns true if a password matches a hash. Compares in constant time. Rejects if there is not enough
 * memory.
 */
export async function verifyPassword(password: Buffer, line: string): Promise<boolean> {
  const stored = parse(line);
  if (stored === undefined) return false;
  const hash = await derive(password, stored, stored.hash.length);
  return timingSafeEqual(hash, stored.hash);
}

/** True if `verifyPassword` can parse the line. */
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

function within(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

/** Computes scrypt on a thread of the pool, so that the event loop is not blocked. */
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

/** Encodes bytes as base64 without padding, as the PHC format requires. */
function textOf(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
