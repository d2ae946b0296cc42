import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { SecureContext } from 'node:tls';
import { connect } from 'node:tls';
import { Failure } from '../../core/errors.ts';
import type { TlsFiles } from '../../core/tls/files.ts';
import { readTlsFiles, TlsFileError } from '../../core/tls/files.ts';
import type { UpstreamTls } from '../../manifest/types.ts';
import type { Dial } from './dial.ts';

/**
 * Usual paths of the system's CA certificates. If none of these files exists, the runtime's built-in CAs are
 * used.
 */
export const SYSTEM_CAS: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/**
 * Returns a dial function for TLS 1.2 or later. Called for each connection and reads the certificate files
 * each time. The hub therefore uses renewed certificates without a restart. Throws Failure
 * `upstream.unreachable` if a file is invalid.
 */
export function secureDial({
  tls,
  home,
}: {
  readonly tls: UpstreamTls | undefined;
  readonly home: string;
}): Dial {
  const { fingerprint, serverName, alpn } = tls ?? {};
  const secureContext = contextOf(tls ?? {}, home);
  return (host, port, ready) => {
    const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
    const socket = connect(
      {
        host,
        port,
        secureContext,
        // A server certificate that `tls.fingerprint` pins needs no CA.
        rejectUnauthorized: fingerprint === undefined || tls?.ca !== undefined,
        ...(servername === undefined ? {} : { servername }),
        ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      },
      () => {
        const found = fingerprintOf(socket.getPeerCertificate()?.fingerprint256);
        if (fingerprint === undefined || found === fingerprint) ready();
        else
          socket.destroy(
            new Error(
              `the fingerprint of the server's certificate (${found}) differs from "tls.fingerprint"`,
            ),
          );
      },
    );
    socket.setNoDelay(true);
    return socket;
  };
}

function fingerprintOf(text: string | undefined): string {
  return (text ?? '').replaceAll(':', '').toLowerCase();
}

/**
 * Creates the TLS context from the certificate and key files. If a file is invalid, throws Failure
 * `upstream.unreachable`, which names the field and the file.
 */
function contextOf({ ca, cert, key, fingerprint }: UpstreamTls, home: string): SecureContext {
  const system = fingerprint === undefined ? SYSTEM_CAS.find(file => existsSync(file)) : undefined;
  const pathOf = (file: string | undefined): string | undefined => file && resolve(home, file);
  const files: TlsFiles = { ca: pathOf(ca ?? system), cert: pathOf(cert), key: pathOf(key) };
  try {
    return readTlsFiles(files).context;
  } catch (thrown) {
    if (!(thrown instanceof TlsFileError)) throw thrown;
    const names = thrown.fields.map(field => `upstream.tls.${field} (${files[field]})`);
    throw new Failure('upstream.unreachable', `${names.join(' and ')} ${thrown.message}.`);
  }
}
