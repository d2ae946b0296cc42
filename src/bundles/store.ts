import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { oneAtATime } from '../core/one-at-a-time.ts';
import { diskFailure } from './disk.ts';
import type { Surroundings } from './download.ts';
import { MAX_KEPT_DOWNLOADS } from './limits.ts';
import { removeTree } from './removal.ts';
import type { LocalSource, Wanted, WantedBundle } from './types.ts';

/**
 * Bundles by the SHA-256 of their archives, unpacked, each in a folder that cannot be written. One that has its name is
 * whole: it gets it when all of it is on the disk.
 */
export type BundleStore = {
  readonly has: (sha256: string) => boolean;
  /** Where a bundle is, or would be. */
  readonly folderOf: (sha256: string) => string;
  /**
   * Makes sure that all are there. Rejects with a Failure, or with the signal's reason soon after it is aborted; the bundles
   * that were there before are untouched, and nothing half unpacked is left.
   */
  readonly prepare: (bundles: readonly WantedBundle[], signal: AbortSignal) => Promise<void>;
  /**
   * Makes sure that a file that is no bundle, such as a hub, is on this machine, and returns where. It has at most `most`
   * bytes. A download stays until it is collected; whoever copies it looks at its hash once more.
   */
  readonly obtain: (wanted: Wanted, most: number, signal: AbortSignal) => Promise<LocalSource>;
  /** Removes all others, and their downloads. */
  readonly collect: (keep: ReadonlySet<string>) => Promise<void>;
};

const SHA256 = /^[0-9a-f]{64}$/;

/** Opens the store in `folder`, which need not be there, and removes what an earlier run left unfinished. */
export async function createBundleStore({
  folder,
  clock,
  log,
  progress,
}: { readonly folder: string } & Omit<Surroundings, 'signal'>): Promise<BundleStore> {
  const parts = join(folder, '.part');
  const folderOf = (sha256: string): string => join(folder, sha256);
  // One at a time: what is wanted next waits until what it has superseded is gone.
  const inTurn = oneAtATime();

  const say = (thrown: unknown): never => {
    throw diskFailure(thrown, 'What is to run', parts);
  };

  await removeUnfinished(parts);
  return {
    has: sha256 => existsSync(folderOf(sha256)),
    folderOf,
    prepare: (bundles, signal) =>
      inTurn(async () => {
        signal.throwIfAborted();
        const { prepare } = await import('./prepare.ts');
        await makeFolders(folder, parts).catch(say);
        await prepare({ bundles: folder, parts }, bundles, { clock, log, signal, progress }).catch(say);
      }),
    obtain: (wanted, most, signal) =>
      inTurn(async () => {
        signal.throwIfAborted();
        const { obtain } = await import('./obtain.ts');
        await makeFolders(folder, parts).catch(say);
        return obtain(
          wanted,
          most,
          { parts, need: { bytes: 0, entries: 0 } },
          { clock, log, signal, progress },
        );
      }),
    collect: keep =>
      inTurn(async () => {
        const dropped = (name: string): boolean => SHA256.test(name) && !keep.has(name);
        for (const name of (await namesIn(folder)).filter(dropped)) await drop(folderOf(name), parts, name);
        for (const name of (await namesIn(parts)).filter(dropped))
          await rm(join(parts, name), { force: true });
      }),
  };
}

async function makeFolders(folder: string, parts: string): Promise<void> {
  // Modules with a user of their own look in, whatever the umask.
  if ((await mkdir(folder, { recursive: true, mode: 0o755 })) !== undefined) await chmod(folder, 0o755);
  await mkdir(parts, { recursive: true, mode: 0o700 });
}

/** First it loses its name, so that one that is half gone is never taken for a bundle. */
async function drop(bundle: string, parts: string, name: string): Promise<void> {
  const old = join(parts, `${name}.old`);
  try {
    await removeTree(old);
    await mkdir(parts, { recursive: true, mode: 0o700 });
    await chmod(bundle, 0o700);
    await rename(bundle, old);
    await removeTree(old);
  } catch (thrown) {
    throw new Failure('bundle.write', `The bundle ${bundle} cannot be removed: ${reasonOf(thrown)}.`);
  }
}

async function removeUnfinished(parts: string): Promise<void> {
  const downloads: { path: string; changed: number }[] = [];
  for (const name of await namesIn(parts)) {
    const path = join(parts, name);
    if (SHA256.test(name)) downloads.push({ path, changed: (await stat(path)).mtimeMs });
    else await removeTree(path);
  }
  const old = downloads.sort((one, other) => other.changed - one.changed).slice(MAX_KEPT_DOWNLOADS);
  for (const { path } of old) await rm(path, { force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}
