import { readFileSync, statSync } from 'node:fs';
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Cancel } from '../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { CERTIFICATE_RELOAD } from '../../core/limits.ts';
import type { ListenerHost, OpenListener, TlsSettings } from './settings.ts';

const READABLE_BY_OTHERS = 0o004;

/** The certificate of one listener, as its files have it. */
export type Certificates = {
  /** What a TLS server begins with. */
  readonly options: TlsOptions;
  /** Gives `server` what the files become, as long as its listener is open. Who is connected stays so. */
  readonly follow: (server: Server, listener: OpenListener) => OpenListener;
};

/**
 * Reads the files of a TLS listener.
 * @throws Failure `listener.refused` if they are of no use
 */
export function keepCertificates(tls: TlsSettings, { clock, log }: ListenerHost): Certificates {
  let seen = stateOf(tls);
  const first = readCertificates(tls);
  warnOfOpenKey();

  function warnOfOpenKey(): void {
    if ((statSync(tls.key).mode & READABLE_BY_OTHERS) === 0) return;
    log.warn(`The key ${tls.key} can be read by every user of this machine: chmod o-r it.`);
  }

  const look = (server: Server): void => {
    const now = stateOf(tls);
    if (now === seen) return;
    seen = now;
    try {
      server.setSecureContext(readCertificates(tls));
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
      cancel = clock.after(CERTIFICATE_RELOAD, again);
    };
    cancel = clock.after(CERTIFICATE_RELOAD, again);
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
  return { options: { ...first, requestCert, rejectUnauthorized }, follow };
}

/** What tells that a file is another one than before. */
function stateOf({ cert, key, ca }: TlsSettings): string {
  const states = [cert, key, ca ?? cert].map(file => {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
  });
  return states.join(', ');
}

/**
 * Reads the files of a TLS listener.
 * @throws Failure `listener.refused` that names the file, or both if they do not fit each other
 */
export function readCertificates({ cert, key, ca }: TlsSettings): SecureContextOptions {
  const options: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    cert: contentOf(cert),
    key: contentOf(key),
    ...(ca === undefined ? {} : { ca: contentOf(ca) }),
  };
  try {
    createSecureContext(options);
  } catch (thrown) {
    const files = ca === undefined ? `${cert} and ${key}` : `${cert}, ${key} and ${ca}`;
    const sentence = `No TLS with ${files} (${reasonOf(thrown)}): they must be a certificate and its key, in PEM.`;
    throw new Failure('listener.refused', sentence);
  }
  return options;
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown);
    throw new Failure(
      'listener.refused',
      `${file} cannot be read (${reason}): see "listeners" in the manifest.`,
    );
  }
}
