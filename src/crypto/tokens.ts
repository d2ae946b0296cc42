import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** Bytes of a token: beyond any guess. */
const TOKEN_BYTES = 24;

/** A new secret for one module, in characters that fit a variable and a URL. */
export function newToken(random: Random): string {
  return random.bytes(TOKEN_BYTES).toString('base64url');
}

/** Compares secrets in a time that tells nothing of them, not even of their lengths. */
export function sameSecret(given: Buffer, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
