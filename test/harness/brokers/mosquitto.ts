import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder } from '../binary.ts';
import { acceptsClients, createServer, isInstalled } from './server.ts';
import type { Broker } from './types.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';

export function isMosquittoInstalled(): boolean {
  return isInstalled(MOSQUITTO, '-h');
}

/**
 * Creates a mosquitto of Debian. It saves its whole store after every change, so its queues must be small.
 */
export async function createMosquitto(): Promise<Broker> {
  const port = await freePort();
  const folder = folderWith({});
  const file = join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'user root',
    'persistence true',
    `persistence_location ${folder}/`,
    'autosave_on_changes true',
    'autosave_interval 1',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'set_tcp_nodelay true',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const server = createServer({
    name: 'mosquitto',
    command: MOSQUITTO,
    arguments: ['-c', file],
    ready: () => acceptsClients(port),
  });
  return {
    name: 'mosquitto',
    ports: [port],
    pids: () => [server.pid() ?? []].flat(),
    start: () => server.start(),
    end: signal => server.end(signal),
    exact: 'running',
    account: undefined,
    close: async () => {
      await server.end('SIGKILL');
      removeFolder(folder);
    },
  };
}
