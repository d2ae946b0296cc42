import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/errors.ts';
import { verify } from './archive.ts';
import type { Surroundings } from './download.ts';
import { download } from './download.ts';
import type { Need } from './space.ts';
import { checkSpace, sumOf } from './space.ts';
import type { LocalSource, Wanted } from './types.ts';

/** Where downloads lie until they are used, and what else the disk must have room for. */
export type Place = { readonly parts: string; readonly need: Need };

/**
 * Makes sure that the bytes of a file are on this machine and are those that are wanted, at most `most`, and returns
 * where. A local file is left where it is; a download is `<parts>/<sha256>`, and is the caller's to remove.
 */
export async function obtain(
  wanted: Wanted,
  most: number,
  place: Place,
  around: Surroundings,
): Promise<LocalSource> {
  const { source } = wanted;
  if (!('url' in source)) {
    await verify(wanted, source, most, around.signal);
    return source;
  }
  const file = downloadOf(place.parts, wanted.sha256);
  const fetched = { path: file };
  // One that was there as a whole before the power went is asked for nobody.
  if (await isWhole(wanted, fetched, most, around.signal)) return fetched;
  const begun = existsSync(file);
  await fetchInto(file, wanted, new URL(source.url), most, place, around);
  try {
    await verify(wanted, fetched, most, around.signal);
    return fetched;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    await rm(file, { force: true });
    // What was there already may be what a power cut left of it, or of another file at that address.
    if (begun) return obtain(wanted, most, place, around);
    throw thrown;
  }
}

export function downloadOf(parts: string, sha256: string): string {
  return join(parts, sha256);
}

async function isWhole(
  wanted: Wanted,
  local: LocalSource,
  most: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await verify(wanted, local, most, signal);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    // More than it may be: it is of no use as a beginning either.
    if (thrown.code === 'bundle.refused') await rm(local.path, { force: true });
    return false;
  }
}

function fetchInto(
  file: string,
  { subject, source: _, ...wanted }: Wanted,
  url: URL,
  most: number,
  { parts, need }: Place,
  around: Surroundings,
): Promise<void> {
  // What it unpacks to is known when it is here; it is no less than what is fetched, or not much.
  const checkRoom = (toCome: number, whole: number): Promise<void> =>
    checkSpace(parts, sumOf(need, { bytes: toCome + whole, entries: 1 }), subject);
  return download({ ...wanted, subject, url, file, most, checkRoom }, around);
}
