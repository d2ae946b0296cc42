import type { Socket } from 'node:net';
import { loadNative } from '../../core/native.ts';

/** Credentials of the process that connected to a Unix socket, as it was then (unix(7), SO_PEERCRED). */
export type PeerCredentials = { readonly pid: number; readonly uid: number };

/** Reads the credentials at the other end of a Unix socket; undefined if the socket is closed. */
export type ReadCredentials = (socket: Socket) => PeerCredentials | undefined;

/**
 * Loads what reads credentials, which Node cannot: the build adds it to the native part for terminals.
 * @throws Failure `native.unloadable`
 */
export function loadCredentials(): ReadCredentials {
  const native = loadNative('pty');
  if (typeof native !== 'object' || native === null || !('peer' in native))
    throw new Error('it has no "peer"');
  const { peer } = native;
  if (typeof peer !== 'function') throw new Error('"peer" is no function');
  return socket => {
    const file = fileOf(socket);
    if (file === undefined) return undefined;
    const found: unknown = peer(file);
    if (!Array.isArray(found)) return undefined;
    const [pid, uid]: unknown[] = found;
    return typeof pid === 'number' && typeof uid === 'number' ? { pid, uid } : undefined;
  };
}

/** The number of a socket's open file, which Node has for itself. */
function fileOf(socket: Socket): number | undefined {
  const handle: unknown = '_handle' in socket ? socket._handle : undefined;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
