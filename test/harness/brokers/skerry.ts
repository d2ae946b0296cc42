import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder, skerry } from '../binary.ts';
import { acceptsClients, createServer } from './server.ts';
import type { Broker } from './types.ts';

/** Limits that the tests do not reach. */
export const STORE_LIMITS = { maxSize: '4G', maxQueueSize: '2G' };

/** Creates a parent hub from the built binary. `more` is added to its manifest. */
export async function createSkerry(
  name = 'parent',
  more: Readonly<Record<string, unknown>> = {},
): Promise<Broker> {
  const port = await freePort();
  const folder = folderWith({});
  const manifest = join(folder, 'manifest.json');
  writeFileSync(
    manifest,
    JSON.stringify({
      name,
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      storeAndForward: STORE_LIMITS,
      ...more,
    }),
  );
  const server = createServer({
    name,
    command: skerry,
    arguments: ['up', manifest, '--data', join(folder, 'data')],
    ready: () => acceptsClients(port),
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
