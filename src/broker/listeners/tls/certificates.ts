import { X509Certificate } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import { repeat } from '../../../core/async/repeat.ts';
import { Failure, reasonOf, systemCode } from '../../../core/errors.ts';
import { type Validity, validityOf, validityProblem } from '../../../core/tls/certificate-validity.ts';
import { readTlsFiles, TlsFileError } from '../../../core/tls/files.ts';
import { CERTIFICATE_RELOAD_MS } from '../../limits.ts';
import type { ListenerHost, OpenListener, TlsSettings } from '../settings.ts';
import { alternativeNames } from './certificate-names.ts';

/** File mode bit for read access of all users. */
const READABLE_BY_OTHERS = 0o004;

/** Certificate of a TLS listener. The certificate is loaded again when its files change. */
export type Certificates = {
  /** Options with which the TLS server is created. */
  readonly options: TlsOptions;
  /** Host names in the current certificate. */
  readonly hosts: () => readonly string[];
  /**
   * Loads changed certificate files into `server` until the returned listener is stopped or closed. Existing
   * connections stay open.
   */
  readonly reloadWhileOpen: (server: Server, listener: OpenListener) => OpenListener;
};

/**
 * Loads the certificate of a TLS listener. Throws the Failure `listener.refused` if the files are invalid.
 */
export function loadCertificates(tls: TlsSettings, { clock, log }: ListenerHost): Certificates {
  let lastState = stateOf(tls);
  const first = readCertificates(tls);
  let validity = validityIn(first);
  let hosts = hostsOf(first);
  let lastWarning: string | undefined;
  warnOfReadableKey();
  warnOfExpiry();

  /** Logs once that the certificate expires soon, and once that it has expired. */
  function warnOfExpiry(): void {
    const problem = validity && validityProblem(validity, clock.wall());
    if (problem !== undefined && problem !== lastWarning) log.warn(`The certificate ${tls.cert} ${problem}.`);
    lastWarning = problem;
  }

  /** Logs a warning if all users of this machine can read the private key. */
  function warnOfReadableKey(): void {
    const stats = statsOf(tls.key);
    if (typeof stats === 'string' || (stats.mode & READABLE_BY_OTHERS) === 0) return;
    log.warn(`The key ${tls.key} can be read by every user of this machine: run "chmod o-r" on it.`);
  }

  /** Loads the certificate again if its files have changed. */
  const reloadIfChanged = (server: Server): void => {
    const state = stateOf(tls);
    if (state === lastState) return;
    lastState = state;
    try {
      const read = readCertificates(tls);
      server.setSecureContext(read);
      validity = validityIn(read);
      hosts = hostsOf(read);
      log.info(`Loaded the changed certificate ${tls.cert}: new connections use it.`);
      warnOfReadableKey();
    } catch (thrown) {
      log.error(`Cannot load a changed certificate, so the previous one stays in use: ${reasonOf(thrown)}`);
    }
  };

  const reloadWhileOpen = (server: Server, listener: OpenListener): OpenListener => {
    const cancel = repeat(clock, CERTIFICATE_RELOAD_MS, () => {
      reloadIfChanged(server);
      warnOfExpiry();
    });
    const stop = (): void => {
      cancel();
      listener.stop();
    };
    const close = (): Promise<void> => {
      cancel();
      return listener.close();
    };
    return { address: listener.address, stop, close };
  };

  const requestCert = tls.clientCertificates !== 'none';
  const rejectUnauthorized = tls.clientCertificates === 'required';
  return { options: { ...first, requestCert, rejectUnauthorized }, hosts: () => hosts, reloadWhileOpen };
}

/** Returns the host names in a certificate. */
function hostsOf({ cert }: SecureContextOptions): readonly string[] {
  return Buffer.isBuffer(cert)
    ? alternativeNames(new X509Certificate(cert).subjectAltName ?? '', ['DNS'])
    : [];
}

/** Returns the validity period of a certificate. Undefined if the certificate cannot be read. */
function validityIn({ cert }: SecureContextOptions): Validity | undefined {
  return Buffer.isBuffer(cert) ? validityOf(cert) : undefined;
}

/**
 * Returns a text that changes when one of the TLS files changes. The text consists of the inodes, sizes and
 * modification times.
 */
function stateOf({ cert, key, ca, crl }: TlsSettings): string {
  const states = [cert, key, ca ?? cert, crl ?? cert].map(file => {
    const stats = statsOf(file);
    return typeof stats === 'string' ? stats : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
  });
  return states.join(', ');
}

/** Returns the metadata of a file, or the error code of the system. */
function statsOf(file: string): Stats | string {
  try {
    return statSync(file);
  } catch (thrown) {
    return systemCode(thrown) ?? reasonOf(thrown);
  }
}

/**
 * Reads the files of a TLS listener. Throws the Failure `listener.refused`, whose message names the invalid
 * file.
 */
export function readCertificates(files: TlsSettings): SecureContextOptions {
  try {
    return { minVersion: 'TLSv1.2', ...readTlsFiles(files).content };
  } catch (thrown) {
    if (!(thrown instanceof TlsFileError)) throw thrown;
    const names = thrown.fields.map(field => `${field} (${files[field]})`);
    throw new Failure('listener.refused', `The listener's ${names.join(' and ')} ${thrown.message}.`);
  }
}
