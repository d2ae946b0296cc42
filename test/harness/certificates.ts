import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const certificates = resolve(import.meta.dirname, '../certificates');

/** File made by `test/certificates/make.sh`. */
export function certificate(name: string): string {
  return join(certificates, name);
}

export const ca: Buffer = readFileSync(certificate('ca.pem'));

/** Client certificate and key. */
export function identity(name: string): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certificate(`${name}.pem`)), key: readFileSync(certificate(`${name}.key`)) };
}

/** A folder with `cert.pem` and `key.pem`, a server's to begin with, which a test may change. */
export type Files = {
  readonly folder: string;
  readonly tls: { readonly cert: string; readonly key: string };
};

/** Runs `scenario` with files of its own and takes them away. */
export async function withFiles(scenario: (files: Files) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-tls-'));
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  install('server', tls);
  try {
    await scenario({ folder, tls });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Puts the certificate and key called `name` where a listener reads them. */
export function install(name: string, { cert, key }: Files['tls']): void {
  copyFileSync(certificate(`${name}.pem`), cert);
  copyFileSync(certificate(`${name}.key`), key);
  chmodSync(key, 0o600);
}
