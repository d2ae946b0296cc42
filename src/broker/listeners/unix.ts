import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { PLAIN_ARRIVAL_BYTES } from '../limits.ts';
import { createAcceptor } from './server.ts';
import type { Accept, ListenerHost, OpenListener, UnixSettings } from './settings.ts';

/**
 * umask with which only the system user of the hub can access a new socket file. The file mode is set later.
 */
const PRIVATE_MASK = 0o177;

/**
 * Opens a listener for MQTT over a Unix socket. Replaces a stale socket file that a killed hub has left. The
 * file is removed when the listener is closed.
 */
export async function listenUnix(
  { file, mode, module }: UnixSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const address = `unix:${file}`;
  const peer = { local: true, address, certificate: undefined, module };
  const server = createServer();
  const acceptor = createAcceptor(server, PLAIN_ARRIVAL_BYTES, accept, host);
  server.on('connection', socket => acceptor.accept(socket, socket, { ...peer, socket }));
  await removeStaleSocket(file);
  try {
    await bind(server, file);
    chmodSync(file, mode);
  } catch (thrown) {
    server.close();
    throw listenFailure(file, reasonOf(thrown));
  }
  return { address, ...acceptor };
}

/** Starts to listen on a socket file that only the system user of the hub can access. */
function bind(server: Server, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(PRIVATE_MASK);
    // The umask applies to the file, because `listen` creates the file synchronously.
    server.listen(file, resolve);
    process.umask(mask);
  });
}

/**
 * Removes a socket file on which no process listens. Throws a Failure if the file is in use or is not a
 * socket.
 */
async function removeStaleSocket(file: string): Promise<void> {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw listenFailure(file, 'the path exists, but is not a socket');
  if (await isInUse(file)) {
    const sentence = `The socket ${file} is in use by another program: stop it, or change "listeners" in the manifest.`;
    throw new Failure('listener.in-use', sentence);
  }
  rmSync(file, { force: true });
}

/**
 * Returns false if the system refuses a connection to the socket file (ECONNREFUSED): no process listens on
 * the file. Returns true in all other cases.
 */
function isInUse(file: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', error => resolve(systemCode(error) !== 'ECONNREFUSED'));
  });
}

function listenFailure(file: string, reason: string): Failure {
  return new Failure(
    'listener.refused',
    `Cannot listen on ${file} (${reason}): change "listeners" in the manifest.`,
  );
}
