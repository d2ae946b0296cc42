import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { connect } from 'node:tls';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import type { UpstreamTls } from '../manifest/types.ts';
import type { Dial } from './link.ts';

/** Where systems keep those whom they trust; without any, it is those whom the runtime brings along. */
const SYSTEM_CAS = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/**
 * Opens TLS 1.2 or later. The files are read anew for each connection, so that new ones are used without a restart.
 * @throws Failure `upstream.unreachable` if they cannot be read
 */
export function secureDial({
  tls,
  home,
}: {
  readonly tls: UpstreamTls | undefined;
  readonly home: string;
}): Dial {
  const { fingerprint, serverName, alpn } = tls ?? {};
  const files = filesOf(tls ?? {}, home);
  return (host, port, ready) => {
    const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
    const socket = connect(
      {
        host,
        port,
        minVersion: 'TLSv1.2',
        // A certificate that is known by itself needs nobody who vouches for it.
        rejectUnauthorized: fingerprint === undefined || tls?.ca !== undefined,
        ...files,
        ...(servername === undefined ? {} : { servername }),
        ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      },
      () => {
        const found = fingerprintOf(socket.getPeerCertificate().fingerprint256);
        if (fingerprint === undefined || found === fingerprint) ready();
        else
          socket.destroy(
            new Error(`its certificate has the fingerprint ${found}, and not "tls.fingerprint"`),
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

function filesOf({ ca, cert, key, fingerprint }: UpstreamTls, home: string): ConnectionOptions {
  const system = fingerprint === undefined ? SYSTEM_CAS.find(file => existsSync(file)) : undefined;
  const trusted = ca ?? system;
  return {
    ...(trusted === undefined ? {} : { ca: contentOf(trusted, home, 'ca') }),
    ...(cert === undefined ? {} : { cert: contentOf(cert, home, 'cert') }),
    ...(key === undefined ? {} : { key: contentOf(key, home, 'key') }),
  };
}

function contentOf(file: string, home: string, field: string): Buffer {
  const path = resolve(home, file);
  try {
    return readFileSync(path);
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown);
    throw new Failure('upstream.unreachable', `upstream.tls.${field}, ${path}, cannot be read: ${reason}.`);
  }
}
