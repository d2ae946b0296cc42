import { createHmac } from 'node:crypto';
import type { Random } from '../core/random.ts';

const KEY_BYTES = 32;

/**
 * Cache of secrets that were verified before. Contains only HMACs, so that a memory dump reveals no secret.
 */
export type SecretCache = {
  /**
   * Returns true if `secret` was added under `label`. The label names the user, the password hash and, for
   * some entries, the address.
   */
  readonly has: (label: string, secret: Buffer) => boolean;
  readonly add: (label: string, secret: Buffer) => void;
};

/** Creates a cache of at most `maxSecrets` entries. Evicts the oldest entry first. */
export function createSecretCache(random: Random, maxSecrets: number): SecretCache {
  const key = random.bytes(KEY_BYTES);
  const macs = new Set<string>();

  const macOf = (label: string, secret: Buffer): string =>
    createHmac('sha256', key).update(`${label}\0`).update(secret).digest('base64');

  return {
    has: (label, secret) => macs.has(macOf(label, secret)),
    add: (label, secret) => {
      macs.add(macOf(label, secret));
      for (const oldest of macs) {
        if (macs.size <= maxSecrets) break;
        macs.delete(oldest);
      }
    },
  };
}
