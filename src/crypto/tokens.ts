import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** Random bytes of a token. */
const TOKEN_BYTES = 24;

/** Creates a module token, in characters that fit an environment variable and a URL. */
export function newToken(random: Random): string {
  return random.bytes(TOKEN_BYTES).toString('base64url');
}

/** Compares secrets in constant time, which reveals not even their lengths. */
export function equalSecrets(given: Buffer, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
