import type { Socket } from 'node:net';
import { loadNative } from '../../core/files/native.ts';

/** Credentials of a process at the time when it connected to a Unix socket (unix(7), SO_PEERCRED). */
export type PeerCredentials = { readonly pid: number; readonly uid: number };

/** Returns the credentials of a Unix socket's peer. Undefined if the socket is closed. */
export type ReadCredentials = (socket: Socket) => PeerCredentials | undefined;

/**
 * Loads the function that reads peer credentials from the native addon. Node does not offer such a function.
 * @throws Failure `native.unloadable`
 */
export function loadCredentials(): ReadCredentials {
  const native = loadNative('pty');
  if (typeof native !== 'object' || native === null || !('peer' in native))
    throw new Error('the native addon has no function "peer"');
  const { peer } = native;
  if (typeof peer !== 'function') throw new Error('"peer" of the native addon is not a function');
  return socket => {
    const file = fileOf(socket);
    if (file === undefined) return undefined;
    const found: unknown = peer(file);
    if (!Array.isArray(found)) return undefined;
    const [pid, uid]: unknown[] = found;
    return typeof pid === 'number' && typeof uid === 'number' ? { pid, uid } : undefined;
  };
}

/** Returns the file descriptor of a socket. Reads it from an undocumented property of Node. */
function fileOf(socket: Socket): number | undefined {
  const handle: unknown = '_handle' in socket ? socket._handle : undefined;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
