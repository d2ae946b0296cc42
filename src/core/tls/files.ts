import { createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { reasonOf, systemCode } from '../errors.ts';
import { MAX_TLS_FILE_BYTES } from '../limits.ts';

/*
 * This file must be imported only by files that open TLS connections, because it loads Node's TLS module,
 * which needs memory.
 */

/** PEM files of one side of a TLS connection, by absolute path. */
export type TlsFiles = {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Certificate revocation lists (CRL) of the authorities in `ca`. */
  readonly crl?: string | undefined;
};

/** Error in TLS files: the names of the affected fields, and the reason as a clause such as `is empty`. */
export class TlsFileError extends Error {
  readonly fields: readonly (keyof TlsFiles)[];

  constructor(fields: readonly (keyof TlsFiles)[], clause: string) {
    super(clause);
    this.name = 'TlsFileError';
    this.fields = fields;
  }
}

/** Content of the PEM files, and the TLS context made from it. */
export type TlsIdentity = { readonly content: Content; readonly context: SecureContext };

type Content = { readonly [Field in keyof TlsFiles]?: Buffer };

const FIELDS = ['cert', 'key', 'ca', 'crl'] as const satisfies readonly (keyof TlsFiles)[];

/**
 * Reads PEM files and checks that TLS accepts them, so that a later TLS connection cannot fail because of
 * them.
 * @throws TlsFileError if a file is missing, no regular file, empty, too large, not in PEM format or
 * encrypted, or if key and certificate do not match
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
  // OpenSSL accepts a CA file without certificates, so the content is checked here.
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

/** Reads a file. Does not block on a pipe and does not read more than MAX_TLS_FILE_BYTES. */
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
    const reason = systemCode(thrown) === 'ENOENT' ? 'the file does not exist' : reasonOf(thrown);
    throw new TlsFileError([field], `cannot be read: ${reason}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
