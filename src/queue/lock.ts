import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { PORT_LOOK, PORT_LOOKS } from '../core/limits.ts';

/** Holds a data folder for this process until it is released or the process ends, however it ends. */
export type FolderLock = { readonly release: () => void };

/**
 * Takes the data folder, which is made (mode 0700) if it is not there. The kernel holds the lock: a socket in
 * the abstract namespace, which dies with its process, so a crash leaves nothing stale. Its name is a secret
 * of the folder, so no other user can take it first. With `pause`, which waits some milliseconds, it is tried for half a
 * second: what a hub that was killed had just begun to spawn holds its lock until it is another program.
 * @throws Failure `data.locked`, `data.unwritable`
 */
export async function lockFolder(
  folder: string,
  pause?: (milliseconds: number) => Promise<void>,
): Promise<FolderLock> {
  const owner = join(folder, 'skerry.pid');
  const name = `\0skerry-${lockName(folder)}`;
  const server = createServer(socket => socket.destroy());
  for (let left = pause === undefined ? 0 : PORT_LOOKS; ; left--) {
    const error = await listenOnce(server, name);
    if (error === undefined) break;
    if (left === 0 || systemCode(error) !== 'EADDRINUSE') throw refusal(error, folder, owner);
    await pause?.(PORT_LOOK);
  }
  server.unref();
  writeFileSync(owner, `${process.pid}\n`);
  return {
    release: () => {
      rmSync(owner, { force: true });
      server.close();
    },
  };
}

/** Undefined: it listens. */
function listenOnce(server: Server, name: string): Promise<Error | undefined> {
  return new Promise(resolve => {
    const refused = (error: Error): void => resolve(error);
    server.once('error', refused);
    server.listen(name, () => {
      server.off('error', refused);
      resolve(undefined);
    });
  });
}

/** The folder's lock name, made once: the first of two processes to link its file wins. */
function lockName(folder: string): string {
  const file = join(folder, 'lock');
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, randomBytes(16).toString('hex'), { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (thrown) {
      if (systemCode(thrown) !== 'EEXIST') throw thrown;
    } finally {
      rmSync(draft, { force: true });
    }
    return readFileSync(file, 'latin1');
  } catch (thrown) {
    throw new Failure(
      'data.unwritable',
      `The data folder ${folder} cannot be written (${reasonOf(thrown)}): name another with --data DIR.`,
    );
  }
}

function refusal(error: Error, folder: string, owner: string): Error {
  if (systemCode(error) !== 'EADDRINUSE') return error;
  const pid = ownerOf(owner);
  const holder = pid === undefined ? 'another hub' : `another hub (pid ${pid})`;
  return new Failure(
    'data.locked',
    `The data folder ${folder} is in use by ${holder}: stop it, or name another folder with --data DIR.`,
  );
}

function ownerOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return undefined;
  }
}
