import { createHash } from 'node:crypto';
import { Failure } from '../core/errors.ts';
import { decodeBase64 } from './base64.ts';
import { canonicalJson } from './canonical.ts';
import { KEY_BYTES, type KeyPair } from './keys.ts';
import { loadNacl } from './load-nacl.ts';

/**
 * Prefix of the signed bytes. A signature that was made for another purpose lacks this prefix and is refused.
 */
const PURPOSE = 'skerry manifest 1\n';

const SIGNATURE_BYTES = 64;

/** Order of the group of Ed25519 (RFC 8032, section 5.1). */
const ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

export type Signature = { readonly key: string; readonly value: string };

/** Public key whose manifests are accepted. `name` is the name of its file. */
export type TrustedKey = { readonly name: string; readonly bytes: Buffer; readonly comment: string };

/**
 * Computes the digest to sign: SHA-512 of PURPOSE and the canonical JSON of the manifest without its
 * signature.
 */
export function manifestDigest(manifest: object, file: string): Buffer {
  const { signature: _, ...rest }: { signature?: unknown } = manifest;
  return createHash('sha512').update(PURPOSE).update(canonicalJson(rest, file)).digest();
}

/**
 * Returns the manifest with a signature as its last field. Replaces an existing signature.
 * @throws Failure `signature.impossible`
 */
export async function signManifest(
  manifest: object,
  { publicKey, secretKey }: KeyPair,
  file: string,
): Promise<object & { readonly signature: Signature }> {
  const nacl = await loadNacl();
  const { signature: _, ...rest }: { signature?: unknown } = manifest;
  const value = nacl.sign.detached(
    manifestDigest(rest, file),
    nacl.sign.keyPair.fromSeed(secretKey).secretKey,
  );
  const signature = { key: publicKey.toString('base64'), value: Buffer.from(value).toString('base64') };
  return { ...rest, signature };
}

/**
 * Verifies the signature of a parsed manifest that is not validated yet. Resolves to the trusted key that
 * signed it.
 * @throws Failure `signature.missing`, `signature.unknown-key`, `signature.wrong`, `signature.impossible`
 */
export async function verifyManifest(
  manifest: unknown,
  trusted: readonly TrustedKey[],
  file: string,
): Promise<TrustedKey> {
  if (!isObject(manifest)) throw missing(file);
  const { key: keyText, value: valueText } = signatureOf(manifest, file);
  const key = trusted.find(({ bytes }) => bytes.toString('base64') === keyText);
  if (key === undefined) {
    throw new Failure(
      'signature.unknown-key',
      `signature.key is not a key that this device trusts: sign with a trusted key, or install its public key with "skerry trust" (in ${file}).`,
    );
  }
  const value = decodeBase64(valueText, SIGNATURE_BYTES);
  const nacl = await loadNacl();
  const isValid =
    value !== undefined &&
    isReduced(value) &&
    nacl.sign.detached.verify(manifestDigest(manifest, file), value, key.bytes);
  if (isValid) return key;
  throw new Failure(
    'signature.wrong',
    `signature.value does not match: the manifest was changed after it was signed, so sign it again (in ${file}).`,
  );
}

function signatureOf(manifest: object, file: string): Signature {
  const { signature }: { signature?: unknown } = manifest;
  if (signature === undefined) throw missing(file);
  const { key, value }: { key?: unknown; value?: unknown } = isObject(signature) ? signature : {};
  if (typeof key === 'string' && typeof value === 'string') return { key, value };
  throw new Failure('signature.wrong', `signature must be as "skerry sign" writes it (in ${file}).`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function missing(file: string): Failure {
  return new Failure(
    'signature.missing',
    `signature is missing: this device accepts signed manifests only, so sign it with "skerry sign" (in ${file}).`,
  );
}

/**
 * Returns true if the scalar is less than the group order (RFC 8032, section 5.1.7). If larger scalars were
 * accepted, the same signature could be encoded in several ways.
 */
function isReduced(value: Buffer): boolean {
  const scalar = value.subarray(KEY_BYTES).toReversed();
  return BigInt(`0x${Buffer.from(scalar).toString('hex')}`) < ORDER;
}
