import type { Random } from '../core/random.ts';
import { loadNacl } from './nacl.ts';

/** What a key is for: `ed25519` signs manifests, `x25519` opens what was sealed. */
export type KeyKind = 'ed25519' | 'x25519';

/** Bytes of each half. Of `ed25519` the secret one is the seed (RFC 8032, 5.1.5). */
export const KEY_BYTES = 32;

export type KeyPair = { readonly kind: KeyKind; readonly publicKey: Buffer; readonly secretKey: Buffer };

export function newKeyPair(kind: KeyKind, random: Random): Promise<KeyPair> {
  return keyPairOf(kind, random.bytes(KEY_BYTES));
}

/** Both halves, of the secret one. */
export async function keyPairOf(kind: KeyKind, secretKey: Buffer): Promise<KeyPair> {
  const nacl = await loadNacl();
  const { publicKey } =
    kind === 'ed25519' ? nacl.sign.keyPair.fromSeed(secretKey) : nacl.box.keyPair.fromSecretKey(secretKey);
  return { kind, publicKey: Buffer.from(publicKey), secretKey };
}
