import { existsSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import { resolve } from 'node:path';
import { connect as secureConnect } from 'node:tls';
import { openWebSocket } from '../../../broker/listeners/websocket/websocket-client.ts';
import { Failure } from '../../../core/errors.ts';
import { hostPort } from '../../../core/net/host-port.ts';
import { readTlsFiles, TlsFileError, type TlsFiles, type TlsIdentity } from '../../../core/tls/files.ts';
import type { Dial } from '../../../upstream/link/dial.ts';
import { SYSTEM_CAS } from '../../../upstream/link/tls.ts';
import { usageFailure } from '../../arguments.ts';
import type { Definition } from '../../reference/definition.ts';
import { systemClock } from '../../system.ts';

/** Options of `pub` and `sub` that select the transport. */
export type DialValues = {
  readonly host: string;
  readonly port?: string | undefined;
  readonly unix?: string | undefined;
  readonly ws?: boolean | undefined;
  readonly 'ws-path': string;
  readonly tls?: boolean | undefined;
  readonly cafile?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
};

const PORT = 1883;
const TLS_PORT = 8883;
const MAX_PORT = 65_535;

/**
 * Returns the port and the dial function of the selected transport: TCP, TLS, WebSocket or Unix socket.
 * Throws Failure `usage` if options contradict each other.
 */
export function transportOf(values: DialValues, definition: Definition): { port: number; dial: Dial } {
  const { unix, ws, insecure, cert, key } = values;
  const tls = values.tls === true || values.cafile !== undefined || cert !== undefined;
  const port = Number(values.port ?? (tls ? TLS_PORT : PORT));
  const wrong = (complaint: string): Failure => usageFailure(complaint, definition);
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) throw wrong('-p must be a port');
  if ((cert === undefined) !== (key === undefined)) throw wrong('--cert and --key need each other');
  if (insecure && !tls) throw wrong('--insecure is for TLS: give --tls or --cafile, too');
  if (unix !== undefined && (ws || tls)) throw wrong('--unix goes without --ws and TLS');
  if (unix !== undefined) return { port, dial: (_host, _port, ready) => connect(resolve(unix), ready) };
  if (ws) return { port, dial: webSocketDial(values, tls) };
  if (tls) return { port, dial: tlsDial(values) };
  return { port, dial: (host, toPort, ready) => connect({ host, port: toPort, noDelay: true }, ready) };
}

function webSocketDial(values: DialValues, tls: boolean): Dial {
  const { insecure: anyName = false, 'ws-path': wanted } = values;
  const files = tls ? certificatesOf(values).content : {};
  const path = wanted.startsWith('/') ? wanted : `/${wanted}`;
  return (host, port, ready) => {
    const url = `${tls ? 'wss' : 'ws'}://${hostPort(host, port)}${path}`;
    return openWebSocket(url, { ...files, anyName }, systemClock, ready);
  };
}

function tlsDial(values: DialValues): Dial {
  const { context: secureContext } = certificatesOf(values);
  const name = values.insecure ? { checkServerIdentity: () => undefined } : {};
  return (host, port, ready) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = secureConnect({ host, port, secureContext, ...servername, ...name }, ready);
    socket.setNoDelay(true);
    return socket;
  };
}

/** Reads the files of --cafile, --cert and --key. Throws Failure `usage` for a file that TLS cannot use. */
function certificatesOf({ cafile, cert, key }: DialValues): TlsIdentity {
  const files: TlsFiles = { ca: cafile ?? SYSTEM_CAS.find(file => existsSync(file)), cert, key };
  try {
    return readTlsFiles(files);
  } catch (thrown) {
    if (!(thrown instanceof TlsFileError)) throw thrown;
    const names = thrown.fields.map(field => `${OPTION_OF[field]} ${files[field]}`);
    throw new Failure('usage', `${names.join(' and ')} ${thrown.message}.`);
  }
}

const OPTION_OF: { readonly [Field in keyof TlsFiles]: string } = {
  ca: '--cafile',
  cert: '--cert',
  key: '--key',
};
