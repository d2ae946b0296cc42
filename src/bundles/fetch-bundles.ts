import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/errors.ts';
import { inspectArchive, maxArchiveBytes } from './archive/read-archive.ts';
import { unpack } from './archive/unpack.ts';
import type { SpaceNeed } from './disk-space.ts';
import { addNeeds, blockSize, checkSpace, NO_NEED, needOf } from './disk-space.ts';
import type { FetchContext } from './download/download.ts';
import { downloadPath, fetchFile } from './fetch-file.ts';
import type { LocalSource, WantedBundle } from './types.ts';

export type BundleFolders = {
  /** Folder of unpacked bundles. Each bundle is a subfolder whose name is the SHA-256 of its archive. */
  readonly bundles: string;
  /** Folder of downloads and of bundles that are being unpacked. */
  readonly parts: string;
};

/**
 * Fetches and checks all missing bundles, checks the disk space for all of them, and then unpacks them. The
 * folders must exist.
 */
export async function fetchBundles(
  folders: BundleFolders,
  bundles: readonly WantedBundle[],
  context: FetchContext,
): Promise<void> {
  const missing = mergeDuplicates(bundles).filter(({ sha256 }) => !existsSync(join(folders.bundles, sha256)));
  if (missing.length === 0) return;
  // Local files come first, because an error in them is then found before any download.
  const localFirst = [...missing.filter(isLocal), ...missing.filter(bundle => !isLocal(bundle))];
  const ready: { bundle: WantedBundle; local: LocalSource }[] = [];
  let need = NO_NEED;
  for (const bundle of localFirst) {
    const local = await fetchFile(bundle, maxArchiveBytes(bundle), { parts: folders.parts, need }, context);
    need = addNeeds(need, await measure(folders, bundle, local, context.signal));
    ready.push({ bundle, local });
  }
  const subject =
    ready.length === 1 ? (ready[0]?.bundle.subject ?? '') : `The content of the ${ready.length} new bundles`;
  await checkSpace(folders.parts, need, subject);
  for (const { bundle, local } of ready) {
    context.log.info(`Unpacking ${bundle.subject} (SHA-256 ${bundle.sha256}).`);
    const draft = join(folders.parts, `${bundle.sha256}.tmp`);
    const target = join(folders.bundles, bundle.sha256);
    await unpack(bundle, local, { draft, target, signal: context.signal });
    if (!isLocal(bundle)) await rm(local.path, { force: true });
  }
}

function isLocal({ source }: WantedBundle): boolean {
  return !('url' in source);
}

/**
 * Merges bundles with the same hash, because several modules can have the same bundle. The smaller bounds
 * apply.
 */
function mergeDuplicates(bundles: readonly WantedBundle[]): WantedBundle[] {
  const found = new Map<string, WantedBundle>();
  for (const bundle of bundles) {
    const same = found.get(bundle.sha256) ?? bundle;
    const size = Math.min(same.size, bundle.size);
    const files = Math.min(same.files, bundle.files);
    found.set(bundle.sha256, { ...same, size, files });
  }
  return Array.from(found.values());
}

/** Checks a whole archive without writing. Returns the disk space that its content needs. */
async function measure(
  { parts }: BundleFolders,
  bundle: WantedBundle,
  local: LocalSource,
  signal: AbortSignal,
): Promise<SpaceNeed> {
  try {
    const { items } = await inspectArchive(bundle, local, signal);
    return needOf(items.values(), await blockSize(parts));
  } catch (thrown) {
    const isUseless = thrown instanceof Failure && !isLocal(bundle);
    if (isUseless) await rm(downloadPath(parts, bundle.sha256), { force: true });
    throw thrown;
  }
}
