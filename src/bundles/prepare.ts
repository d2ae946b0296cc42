import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/errors.ts';
import { inspect, mostBytes } from './archive.ts';
import type { Surroundings } from './download.ts';
import { downloadOf, obtain } from './obtain.ts';
import type { Need } from './space.ts';
import { blockOf, checkSpace, NO_NEED, needOf, sumOf } from './space.ts';
import type { LocalSource, WantedBundle } from './types.ts';
import { unpack } from './unpack.ts';

export type Folders = {
  /** Where unpacked bundles are, each by its SHA-256. */
  readonly bundles: string;
  /** Where downloads, and what is being unpacked, are. */
  readonly parts: string;
};

/** Makes sure that all bundles are there, in folders that are: first all are looked at, then there must be room for all, then they are unpacked. */
export async function prepare(
  folders: Folders,
  bundles: readonly WantedBundle[],
  around: Surroundings,
): Promise<void> {
  const missing = withoutTwins(bundles).filter(({ sha256 }) => !existsSync(join(folders.bundles, sha256)));
  if (missing.length === 0) return;
  // Those that are here cost nothing to look at.
  const inOrder = [...missing.filter(isLocal), ...missing.filter(bundle => !isLocal(bundle))];
  const ready: { bundle: WantedBundle; local: LocalSource }[] = [];
  let need = NO_NEED;
  for (const bundle of inOrder) {
    const local = await obtain(bundle, mostBytes(bundle), { parts: folders.parts, need }, around);
    need = sumOf(need, await look(folders, bundle, local, around.signal));
    ready.push({ bundle, local });
  }
  const what =
    ready.length === 1 ? (ready[0]?.bundle.subject ?? '') : `What the ${ready.length} new bundles hold`;
  await checkSpace(folders.parts, need, what);
  for (const { bundle, local } of ready) {
    around.log.info(`${bundle.subject} is unpacked: ${bundle.sha256}`);
    const draft = join(folders.parts, `${bundle.sha256}.tmp`);
    const target = join(folders.bundles, bundle.sha256);
    await unpack(bundle, local, { draft, target, signal: around.signal });
    if (!isLocal(bundle)) await rm(local.path, { force: true });
  }
}

function isLocal({ source }: WantedBundle): boolean {
  return !('url' in source);
}

/** Two modules may run from one bundle; it must be within what both state. */
function withoutTwins(bundles: readonly WantedBundle[]): WantedBundle[] {
  const found = new Map<string, WantedBundle>();
  for (const bundle of bundles) {
    const twin = found.get(bundle.sha256) ?? bundle;
    const size = Math.min(twin.size, bundle.size);
    const files = Math.min(twin.files, bundle.files);
    found.set(bundle.sha256, { ...twin, size, files });
  }
  return Array.from(found.values());
}

/** Checks an archive from its first entry to its last, writes nothing, and returns what it will take. */
async function look(
  { parts }: Folders,
  bundle: WantedBundle,
  local: LocalSource,
  signal: AbortSignal,
): Promise<Need> {
  try {
    const { items } = await inspect(bundle, local, signal);
    return needOf(items.values(), await blockOf(parts));
  } catch (thrown) {
    const useless = thrown instanceof Failure && !isLocal(bundle);
    if (useless) await rm(downloadOf(parts, bundle.sha256), { force: true });
    throw thrown;
  }
}
