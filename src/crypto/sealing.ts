import { Failure } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { KEY_BYTES, type KeyPair, newKeyPair } from './keys.ts';
import { MAX_SECRET_BYTES } from './limits.ts';
import { loadNacl } from './load-nacl.ts';

const PREFIX = 'sealed:';

/**
 * Prefix of the plaintext of a sealed secret. A text that was encrypted for another purpose lacks this prefix
 * and is refused.
 */
const PURPOSE = Buffer.from('skerry secret 1\n');

const NONCE_BYTES = 24;
const OVERHEAD_BYTES = 16;
const HEAD_BYTES = KEY_BYTES + NONCE_BYTES;
const MAX_BYTES = HEAD_BYTES + OVERHEAD_BYTES + PURPOSE.length + MAX_SECRET_BYTES;
const MAX_CHARACTERS = PREFIX.length + 4 * Math.ceil(MAX_BYTES / 3);

/**
 * Encrypts a secret for the public key `to`. Returns `sealed:` and the base64 of an ephemeral public key, a
 * nonce and a nacl.box. Only the owner of the matching secret key can decrypt the text. The sender cannot
 * decrypt it.
 */
export async function sealSecret(secret: Buffer, to: Buffer, random: Random): Promise<string> {
  const nacl = await loadNacl();
  const { publicKey, secretKey } = await newKeyPair('x25519', random);
  const nonce = random.bytes(NONCE_BYTES);
  const box = nacl.box(Buffer.concat([PURPOSE, secret]), nonce, to, secretKey);
  return PREFIX + Buffer.concat([publicKey, nonce, box]).toString('base64');
}

/**
 * Decrypts a sealed secret. Errors contain the field name `field`.
 * @throws Failure `secret.unopened`, with the same sentence for every cause
 */
export async function openSealed(sealed: string, { secretKey }: KeyPair, field: string): Promise<Buffer> {
  const bytes = sealedBytes(sealed);
  const nacl = await loadNacl();
  const decrypted =
    bytes === undefined
      ? null
      : nacl.box.open(
          bytes.subarray(HEAD_BYTES),
          bytes.subarray(KEY_BYTES, HEAD_BYTES),
          bytes.subarray(0, KEY_BYTES),
          secretKey,
        );
  const plain =
    decrypted === null ? undefined : Buffer.from(decrypted.buffer, decrypted.byteOffset, decrypted.length);
  if (plain?.subarray(0, PURPOSE.length).equals(PURPOSE)) return plain.subarray(PURPOSE.length);
  throw new Failure(
    'secret.unopened',
    `${field} cannot be decrypted with this device's key: seal it again, with "skerry seal" and this device's "keys/device.pub".`,
  );
}

function sealedBytes(sealed: string): Buffer | undefined {
  if (!sealed.startsWith(PREFIX) || sealed.length > MAX_CHARACTERS) return undefined;
  const text = sealed.slice(PREFIX.length);
  const bytes = Buffer.from(text, 'base64');
  return bytes.length >= HEAD_BYTES && bytes.toString('base64') === text ? bytes : undefined;
}
