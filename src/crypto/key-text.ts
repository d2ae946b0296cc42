import { Failure } from '../core/errors.ts';
import { decodeBase64 } from './base64.ts';
import { KEY_BYTES, type KeyKind } from './keys.ts';

/** Pattern of the text in a public key file, which has one line. */
const PUBLIC = /^skerry-public-key (ed25519|x25519) ([A-Za-z0-9+/]{43}=)(?: ([^\r\n]*))?\r?\n?$/;

/** Pattern of the text in a secret key file, which has one line. */
const SECRET = /^skerry-secret-key (ed25519|x25519) ([A-Za-z0-9+/]{43}=)\r?\n?$/;

const PURPOSES: Readonly<Record<KeyKind, string>> = {
  ed25519: 'signatures: one of "skerry keygen"',
  x25519: `sealing: a device's "keys/device.pub"`,
};

export type PublicKey = { readonly bytes: Buffer; readonly comment: string };

export function publicKeyLine(kind: KeyKind, { bytes, comment }: PublicKey): string {
  const words = comment.replace(/\p{Cc}/gu, ' ').trim();
  return `skerry-public-key ${kind} ${bytes.toString('base64')}${words === '' ? '' : ` ${words}`}\n`;
}

export function secretKeyLine(kind: KeyKind, bytes: Buffer): string {
  return `skerry-secret-key ${kind} ${bytes.toString('base64')}\n`;
}

/**
 * Parses the text of a public key file. Throws Failure `key.damaged` if the key is invalid or not of the kind
 * `kind`. The sentence of the Failure never contains the text.
 */
export function parsePublicKey(text: string, file: string, kind: KeyKind): PublicKey {
  const [, found, base64 = '', comment = ''] = PUBLIC.exec(text) ?? [];
  if (text.startsWith('skerry-secret-key ')) {
    throw new Failure('key.damaged', `${file} is a secret key: name the public one, which ends in ".pub".`);
  }
  return { bytes: checked(file, kind, found, decodeBase64(base64, KEY_BYTES)), comment };
}

/**
 * Parses the text of a secret key file. Throws Failure `key.damaged` if the key is invalid or not of the kind
 * `kind`. The sentence of the Failure never contains the text.
 */
export function parseSecretKey(text: string, file: string, kind: KeyKind): Buffer {
  const [, found, base64 = ''] = SECRET.exec(text) ?? [];
  if (text.startsWith('skerry-public-key ')) {
    throw new Failure('key.damaged', `${file} is a public key: name the secret one, which ends in ".key".`);
  }
  return checked(file, kind, found, decodeBase64(base64, KEY_BYTES));
}

function checked(file: string, kind: KeyKind, found: string | undefined, bytes: Buffer | undefined): Buffer {
  if (found === undefined || bytes === undefined) {
    throw new Failure(
      'key.damaged',
      `${file} is not a Skerry key, or is corrupted: replace it by a valid one.`,
    );
  }
  if (found === kind) return bytes;
  throw new Failure('key.damaged', `${file} is not a key for ${PURPOSES[kind]} is needed.`);
}
