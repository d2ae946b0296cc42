import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/errors.ts';
import { verifyHash } from './archive/read-archive.ts';
import type { SpaceNeed } from './disk-space.ts';
import { addNeeds, checkSpace } from './disk-space.ts';
import type { FetchContext } from './download/download.ts';
import { download } from './download/download.ts';
import type { LocalSource, WantedFile } from './types.ts';

/** Folder for downloads, and the disk space that other files need. */
export type FetchLocation = { readonly parts: string; readonly need: SpaceNeed };

/**
 * Fetches and verifies a file of at most `maxBytes`. Returns its location. A local file stays at its path. A
 * download is stored as `<parts>/<sha256>`; the caller removes it.
 */
export async function fetchFile(
  wanted: WantedFile,
  maxBytes: number,
  location: FetchLocation,
  context: FetchContext,
): Promise<LocalSource> {
  const { source } = wanted;
  if (!('url' in source)) {
    await verifyHash(wanted, source, maxBytes, context.signal);
    return source;
  }
  const file = downloadPath(location.parts, wanted.sha256);
  const fetched = { path: file };
  // A download that was completed before a restart of the hub is not requested again.
  if (await isComplete(wanted, fetched, maxBytes, context.signal)) return fetched;
  const wasPartial = existsSync(file);
  await downloadTo(file, wanted, new URL(source.url), maxBytes, location, context);
  try {
    await verifyHash(wanted, fetched, maxBytes, context.signal);
    return fetched;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    await rm(file, { force: true });
    // A resumed download has a wrong hash if a power failure damaged the partial file, or if the file at the
    // URL has changed. The second attempt starts at the first byte.
    if (wasPartial) return fetchFile(wanted, maxBytes, location, context);
    throw thrown;
  }
}

export function downloadPath(parts: string, sha256: string): string {
  return join(parts, sha256);
}

async function isComplete(
  wanted: WantedFile,
  local: LocalSource,
  maxBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await verifyHash(wanted, local, maxBytes, signal);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    // A file that is longer than `maxBytes` is removed, because its download cannot be resumed.
    if (thrown.code === 'bundle.refused') await rm(local.path, { force: true });
    return false;
  }
}

function downloadTo(
  file: string,
  { subject, source: _, ...wanted }: WantedFile,
  url: URL,
  maxBytes: number,
  { parts, need }: FetchLocation,
  context: FetchContext,
): Promise<void> {
  // The size of the unpacked content is unknown, so it is estimated as the size of the download.
  const checkDownload = (remaining: number, total: number): Promise<void> =>
    checkSpace(parts, addNeeds(need, { bytes: remaining + total, entries: 1 }), subject);
  return download({ ...wanted, subject, url, file, maxBytes, checkSpace: checkDownload }, context);
}
