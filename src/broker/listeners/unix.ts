import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { PLAIN_ARRIVAL_BYTES } from '../limits.ts';
import { openEntrance } from './server.ts';
import type { Accept, ListenerHost, OpenListener, UnixSettings } from './settings.ts';

/** umask that restricts the socket file to the hub's user until its mode is set. */
const PRIVATE_MASK = 0o177;

/**
 * Opens a listener of MQTT over a Unix socket, whose file mode restricts access. Replaces a stale socket
 * file; removes the file with the listener.
 */
export async function listenUnix(
  { file, mode, module }: UnixSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const address = `unix:${file}`;
  const peer = { local: true, address, certificate: undefined, module };
  const server = createServer();
  const entrance = openEntrance(server, PLAIN_ARRIVAL_BYTES, accept, host);
  server.on('connection', socket => entrance.accept(socket, socket, { ...peer, socket }));
  await makeWay(file);
  try {
    await bind(server, file);
    chmodSync(file, mode);
  } catch (thrown) {
    server.close();
    throw refused(file, reasonOf(thrown));
  }
  return { address, ...entrance };
}

function bind(server: Server, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(PRIVATE_MASK);
    // `listen` creates the file synchronously.
    server.listen(file, resolve);
    process.umask(mask);
  });
}

/** Removes a stale socket file. */
async function makeWay(file: string): Promise<void> {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw refused(file, 'there is something else, which is no socket');
  if (await answers(file)) {
    const sentence = `The socket ${file} is in use by another program: stop it, or change "listeners" in the manifest.`;
    throw new Failure('listener.in-use', sentence);
  }
  rmSync(file, { force: true });
}

/** True unless the system reports that nothing listens on the file. */
function answers(file: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', error => resolve(systemCode(error) !== 'ECONNREFUSED'));
  });
}

function refused(file: string, reason: string): Failure {
  return new Failure(
    'listener.refused',
    `Cannot listen on ${file} (${reason}): change "listeners" in the manifest.`,
  );
}
