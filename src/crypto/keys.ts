import type { Random } from '../core/random.ts';
import { loadNacl } from './load-nacl.ts';

/** Kind of a key: `ed25519` signs manifests, `x25519` decrypts sealed secrets. */
export type KeyKind = 'ed25519' | 'x25519';

/** Bytes of a public or secret key. The secret key of `ed25519` is the seed (RFC 8032, section 5.1.5). */
export const KEY_BYTES = 32;

export type KeyPair = { readonly kind: KeyKind; readonly publicKey: Buffer; readonly secretKey: Buffer };

export function newKeyPair(kind: KeyKind, random: Random): Promise<KeyPair> {
  return keyPairOf(kind, random.bytes(KEY_BYTES));
}

export async function keyPairOf(kind: KeyKind, secretKey: Buffer): Promise<KeyPair> {
  const nacl = await loadNacl();
  const { publicKey } =
    kind === 'ed25519' ? nacl.sign.keyPair.fromSeed(secretKey) : nacl.box.keyPair.fromSecretKey(secretKey);
  return { kind, publicKey: Buffer.from(publicKey), secretKey };
}
