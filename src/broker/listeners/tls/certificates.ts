import { X509Certificate } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import type { Cancel } from '../../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../../core/errors.ts';
import { type Validity, validityOf, validityProblem } from '../../../core/tls/certificate-validity.ts';
import { readTlsFiles, TlsFileError } from '../../../core/tls/files.ts';
import { CERTIFICATE_RELOAD_MS } from '../../limits.ts';
import type { ListenerHost, OpenListener, TlsSettings } from '../settings.ts';
import { alternativeNames } from './certificate-names.ts';

const READABLE_BY_OTHERS = 0o004;

/** Certificate of a listener, which follows its files. */
export type Certificates = {
  /** Initial options of the TLS server. */
  readonly options: TlsOptions;
  /** Host names in the current certificate. */
  readonly hosts: () => readonly string[];
  /** Applies changed files to `server` while its listener is open. Existing connections stay. */
  readonly follow: (server: Server, listener: OpenListener) => OpenListener;
};

/** Loads the certificate of a TLS listener. Throws Failure `listener.refused` if the files are invalid. */
export function keepCertificates(tls: TlsSettings, { clock, log }: ListenerHost): Certificates {
  let seen = stateOf(tls);
  const first = readCertificates(tls);
  let validity = periodOf(first);
  let hosts = hostsOf(first);
  let warned: string | undefined;
  warnOfOpenKey();
  warnOfDates();

  /** Logs once that the certificate expires soon, and once that it has expired. */
  function warnOfDates(): void {
    const problem = validity && validityProblem(validity, clock.wall());
    if (problem !== undefined && problem !== warned) log.warn(`The certificate ${tls.cert} ${problem}.`);
    warned = problem;
  }

  function warnOfOpenKey(): void {
    const stats = statsOf(tls.key);
    if (typeof stats === 'string' || (stats.mode & READABLE_BY_OTHERS) === 0) return;
    log.warn(`The key ${tls.key} can be read by every user of this machine: chmod o-r it.`);
  }

  const look = (server: Server): void => {
    const now = stateOf(tls);
    if (now === seen) return;
    seen = now;
    try {
      const read = readCertificates(tls);
      server.setSecureContext(read);
      validity = periodOf(read);
      hosts = hostsOf(read);
      log.info(`The certificate ${tls.cert} is new: who connects from now on sees it.`);
      warnOfOpenKey();
    } catch (thrown) {
      log.error(`The old certificate stays in use. ${reasonOf(thrown)}`);
    }
  };

  const follow = (server: Server, listener: OpenListener): OpenListener => {
    let cancel: Cancel;
    const again = (): void => {
      look(server);
      warnOfDates();
      cancel = clock.after(CERTIFICATE_RELOAD_MS, again);
    };
    cancel = clock.after(CERTIFICATE_RELOAD_MS, again);
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
  return { options: { ...first, requestCert, rejectUnauthorized }, hosts: () => hosts, follow };
}

function hostsOf({ cert }: SecureContextOptions): readonly string[] {
  return Buffer.isBuffer(cert)
    ? alternativeNames(new X509Certificate(cert).subjectAltName ?? '', ['DNS'])
    : [];
}

function periodOf({ cert }: SecureContextOptions): Validity | undefined {
  return Buffer.isBuffer(cert) ? validityOf(cert) : undefined;
}

/** Fingerprint of the files' metadata that detects changes. */
function stateOf({ cert, key, ca, crl }: TlsSettings): string {
  const states = [cert, key, ca ?? cert, crl ?? cert].map(file => {
    const stats = statsOf(file);
    return typeof stats === 'string' ? stats : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
  });
  return states.join(', ');
}

/** Metadata of a file, or the system's error code. */
function statsOf(file: string): Stats | string {
  try {
    return statSync(file);
  } catch (thrown) {
    return systemCode(thrown) ?? reasonOf(thrown);
  }
}

/** Reads the files of a TLS listener. Throws Failure `listener.refused` that names the invalid files. */
export function readCertificates(files: TlsSettings): SecureContextOptions {
  try {
    return { minVersion: 'TLSv1.2', ...readTlsFiles(files).content };
  } catch (thrown) {
    if (!(thrown instanceof TlsFileError)) throw thrown;
    const names = thrown.fields.map(field => `${field} (${files[field]})`);
    throw new Failure('listener.refused', `The listener's ${names.join(' and ')} ${thrown.message}.`);
  }
}
