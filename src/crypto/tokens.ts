import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/random.ts';

const TOKEN_BYTES = 24;

/**
 * Creates a random token for a module. The characters of the token are valid in an environment variable and
 * in a URL.
 */
export function newToken(random: Random): string {
  return random.bytes(TOKEN_BYTES).toString('base64url');
}

/** Compares two secrets in a time that depends neither on their contents nor on their lengths. */
export function equalSecrets(given: Buffer, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
