import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { oneAtATime } from '../core/async/one-at-a-time.ts';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { diskFailure } from './disk.ts';
import type { FetchContext } from './download/download.ts';
import { MAX_KEPT_DOWNLOADS } from './limits.ts';
import { removeTree } from './remove-tree.ts';
import type { LocalSource, WantedBundle, WantedFile } from './types.ts';

/**
 * Store of unpacked bundles. Each bundle is a read-only folder whose name is the SHA-256 of its archive. A
 * folder gets this name after all of its content is flushed, so a folder with such a name is always complete.
 */
export type BundleStore = {
  readonly has: (sha256: string) => boolean;
  /** Returns the path of the folder of a bundle. The folder is missing if the bundle was not fetched. */
  readonly folderOf: (sha256: string) => string;
  /**
   * Fetches, verifies and unpacks the missing bundles. Rejects with a Failure, or with the reason of the
   * abort signal. After an error the existing bundles are unchanged, and no partial bundle is left.
   */
  readonly fetchBundles: (bundles: readonly WantedBundle[], signal: AbortSignal) => Promise<void>;
  /**
   * Fetches a file of at most `maxBytes` that is not a bundle, such as a binary of the hub. Returns its
   * location. A downloaded file stays until `removeUnused` is called. The caller verifies the hash again when
   * the caller copies the file.
   */
  readonly fetchFile: (wanted: WantedFile, maxBytes: number, signal: AbortSignal) => Promise<LocalSource>;
  /** Removes all bundles and downloads whose hashes are not in `keep`. */
  readonly removeUnused: (keep: ReadonlySet<string>) => Promise<void>;
};

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Opens the store in `folder`. The folder is created when it is needed. Removes partly unpacked bundles and
 * old downloads that an earlier process of the hub has left.
 */
export async function createBundleStore({
  folder,
  clock,
  log,
  progress,
}: { readonly folder: string } & Omit<FetchContext, 'signal'>): Promise<BundleStore> {
  const parts = join(folder, '.part');
  const folderOf = (sha256: string): string => join(folder, sha256);
  // Calls are serialized, so that a new deployment waits until the aborted deployment has stopped writing.
  const oneByOne = oneAtATime();

  const rethrow = (thrown: unknown): never => {
    throw diskFailure(thrown, 'The deployment', parts);
  };

  await removeUnfinished(parts);
  return {
    has: sha256 => existsSync(folderOf(sha256)),
    folderOf,
    fetchBundles: (bundles, signal) =>
      oneByOne(async () => {
        signal.throwIfAborted();
        const { fetchBundles: prepare } = await import('./fetch-bundles.ts');
        await makeFolders(folder, parts).catch(rethrow);
        await prepare({ bundles: folder, parts }, bundles, { clock, log, signal, progress }).catch(rethrow);
      }),
    fetchFile: (wanted, maxBytes, signal) =>
      oneByOne(async () => {
        signal.throwIfAborted();
        const { fetchFile: obtain } = await import('./fetch-file.ts');
        await makeFolders(folder, parts).catch(rethrow);
        return obtain(
          wanted,
          maxBytes,
          { parts, need: { bytes: 0, entries: 0 } },
          { clock, log, signal, progress },
        );
      }),
    removeUnused: keep =>
      oneByOne(async () => {
        const isUnused = (name: string): boolean => SHA256.test(name) && !keep.has(name);
        for (const name of (await namesIn(folder)).filter(isUnused))
          await removeBundle(folderOf(name), parts, name);
        for (const name of (await namesIn(parts)).filter(isUnused))
          await rm(join(parts, name), { force: true });
      }),
  };
}

async function makeFolders(folder: string, parts: string): Promise<void> {
  // Modules that run as other users must be able to read the folder, whatever the umask is.
  if ((await mkdir(folder, { recursive: true, mode: 0o755 })) !== undefined) await chmod(folder, 0o755);
  await mkdir(parts, { recursive: true, mode: 0o700 });
}

/** Renames a bundle before removing it, so that a partly removed bundle is never used. */
async function removeBundle(bundle: string, parts: string, name: string): Promise<void> {
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
