import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { listenPatiently } from '../core/listen.ts';

/** Holds a data folder for this process until it is released or the process ends, however it ends. */
export type FolderLock = { readonly release: () => void };

/**
 * Takes the data folder, which is made (mode 0700) if it is not there. The kernel holds the lock: a socket in
 * the abstract namespace, which dies with its process, so a crash leaves nothing stale. Its name is a secret
 * of the folder, so no other user can take it first. With `pause`, which waits some milliseconds, a killed hub's
 * last children are waited for.
 * @throws Failure `data.locked`, `data.unwritable`
 */
export async function lockFolder(
  folder: string,
  pause?: (milliseconds: number) => Promise<void>,
): Promise<FolderLock> {
  const owner = join(folder, 'skerry.pid');
  const name = `\0skerry-${lockName(folder)}`;
  const server = createServer(socket => socket.destroy());
  const error = await listenPatiently(server, { path: name }, pause);
  if (error !== undefined) throw refusal(error, folder, owner);
  server.unref();
  writeFileSync(owner, `${process.pid}\n`);
  return {
    release: () => {
      rmSync(owner, { force: true });
      server.close();
    },
  };
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
