import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder, skerry } from '../binary.ts';
import { createServer, takesClients } from './server.ts';
import type { Broker } from './types.ts';

/** The hub's own limits are not what is tried here. */
export const ROOM = { maxSize: '4G', maxQueueSize: '2G' };

/** A parent hub, the built binary; `more` goes into its manifest. */
export async function createSkerry(
  name = 'parent',
  more: Readonly<Record<string, unknown>> = {},
): Promise<Broker> {
  const port = await freePort();
  const folder = folderWith({});
  const manifest = join(folder, 'manifest.json');
  writeFileSync(
    manifest,
    JSON.stringify({ name, listeners: [{ mqtt: `127.0.0.1:${port}` }], storeAndForward: ROOM, ...more }),
  );
  const server = createServer({
    name,
    command: skerry,
    arguments: ['up', manifest, '--data', join(folder, 'data')],
    ready: () => takesClients(port),
  });
  return {
    name,
    ports: [port],
    pids: () => [server.pid() ?? []].flat(),
    start: () => server.start(),
    end: signal => server.end(signal),
    exact: 'always',
    account: undefined,
    close: async () => {
      await server.end('SIGKILL');
      removeFolder(folder);
    },
  };
}
