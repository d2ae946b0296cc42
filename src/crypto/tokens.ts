import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** Random bytes of a token. */
const TOKEN_BYTES = 24;

/** Creates a token of a module. Its characters are valid in an environment variable and a URL. */
export function newToken(random: Random): string {
  return random.bytes(TOKEN_BYTES).toString('base64url');
}

/** Compares secrets in constant time, which does not reveal their lengths either. */
export function equalSecrets(given: Buffer, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
