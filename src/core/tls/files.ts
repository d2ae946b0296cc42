import { createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { reasonOf, systemCode } from '../errors.ts';
import { MAX_TLS_FILE_BYTES } from '../limits.ts';

/* Imports Node's TLS, which takes memory: only what opens TLS imports this file. */

/** The PEM files of one side of TLS, by absolute path. */
export type TlsFiles = {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Certificate revocation lists of the authorities in `ca`. */
  readonly crl?: string | undefined;
};

/** Error of TLS files: the fields, and a clause with the reason, such as `is empty`. */
export class TlsFileError extends Error {
  readonly fields: readonly (keyof TlsFiles)[];

  constructor(fields: readonly (keyof TlsFiles)[], clause: string) {
    super(clause);
    this.name = 'TlsFileError';
    this.fields = fields;
  }
}

/** Content of the files, and the TLS context made from it. */
export type TlsIdentity = { readonly content: Content; readonly context: SecureContext };

type Content = { readonly [Field in keyof TlsFiles]?: Buffer };

const FIELDS = ['cert', 'key', 'ca', 'crl'] as const satisfies readonly (keyof TlsFiles)[];

/**
 * Reads PEM files and proves that TLS accepts them, so that what they hold cannot fail anywhere else.
 * @throws TlsFileError whatever they are: absent, a pipe, empty, too large, no PEM, encrypted, of different
 * keys
 */
export function readTlsFiles({ ca, cert, key, crl }: TlsFiles): TlsIdentity {
  const content: Content = {
    ...(ca === undefined ? {} : { ca: contentOf('ca', ca) }),
    ...(cert === undefined ? {} : { cert: contentOf('cert', cert) }),
    ...(key === undefined ? {} : { key: contentOf('key', key) }),
    ...(crl === undefined ? {} : { crl: contentOf('crl', crl) }),
  };
  return { content, context: contextOf(content) };
}

function contextOf(content: Content): SecureContext {
  const { ca, cert, key, crl } = content;
  // OpenSSL ignores a CA file without certificates.
  if (ca !== undefined) attempt(['ca'], 'holds no certificate in PEM', () => new X509Certificate(ca));
  if (cert !== undefined) attempt(['cert'], 'holds no certificate in PEM', () => new X509Certificate(cert));
  if (key !== undefined) attempt(['key'], clauseOfKey(key), () => createPrivateKey(key));
  if (crl !== undefined)
    attempt(['crl'], 'holds no certificate revocation list in PEM', () => createSecureContext({ crl }));
  const given = FIELDS.filter(field => content[field] !== undefined);
  return attempt(given, 'cannot be used together', () =>
    createSecureContext({ minVersion: 'TLSv1.2', ...content }),
  );
}

function attempt<Value>(fields: readonly (keyof TlsFiles)[], clause: string, action: () => Value): Value {
  try {
    return action();
  } catch (thrown) {
    throw new TlsFileError(fields, `${clause} (${systemCode(thrown) ?? reasonOf(thrown)})`);
  }
}

function clauseOfKey(key: Buffer): string {
  return key.includes('ENCRYPTED')
    ? 'is encrypted: a key without a passphrase is needed'
    : 'holds no private key in PEM';
}

/** Opened without waiting for the other end of a pipe, and never read beyond its bound. */
function contentOf(field: keyof TlsFiles, path: string): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new TlsFileError([field], 'is not a file');
    if (stats.size === 0) throw new TlsFileError([field], 'is empty');
    if (stats.size > MAX_TLS_FILE_BYTES)
      throw new TlsFileError([field], `is larger than ${MAX_TLS_FILE_BYTES} bytes`);
    const content = Buffer.alloc(stats.size);
    return content.subarray(0, readSync(file, content));
  } catch (thrown) {
    if (thrown instanceof TlsFileError) throw thrown;
    const reason = systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown);
    throw new TlsFileError([field], `cannot be read: ${reason}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
