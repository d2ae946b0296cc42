import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DownloadProgress } from '../bundles/download/download.ts';
import type { BundleStore } from '../bundles/store.ts';
import type { ArtifactSource, LocalSource, WantedBundle } from '../bundles/types.ts';
import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import type { Artifact } from '../manifest/types.ts';

/** Files that a deployment needs besides its manifest: bundles and hub binaries. */
export type Artifacts = {
  /**
   * Fetches, verifies and unpacks the bundles of all modules in `placed`. If a bundle is invalid, throws
   * Failure `bundle.*` and leaves the existing bundles unchanged.
   */
  readonly fetchBundles: (placed: Placed, signal: AbortSignal) => Promise<void>;
  /**
   * Fetches a file without unpacking it, such as a hub binary. `maxBytes` is the maximum size of the file.
   */
  readonly fetchFile: (
    placed: Placed,
    artifact: Artifact,
    subject: string,
    maxBytes: number,
    signal: AbortSignal,
  ) => Promise<LocalSource>;
  /** Returns the path of the folder with the unpacked bundle of the given hash. */
  readonly bundleFolder: (sha256: string) => string;
  /** Returns the download in progress. Undefined if nothing is downloaded. */
  readonly download: () => DownloadProgress | undefined;
  /** Removes all bundles except those that a deployment in `kept` needs. */
  readonly removeUnused: (kept: readonly Placed[]) => Promise<void>;
};

export type ArtifactsSettings = { readonly folder: string; readonly clock: Clock; readonly log: Log };

export function createArtifacts(settings: ArtifactsSettings): Artifacts {
  const { folder } = settings;
  let opening: Promise<BundleStore> | undefined;
  let download: DownloadProgress | undefined;
  const progress = (now: DownloadProgress): void => {
    download = now;
  };
  const forget = (): void => {
    download = undefined;
  };
  // Loads the code for bundles when the first bundle is needed. Most hubs have no bundles.
  const bundles = (): Promise<BundleStore> => {
    opening ??= import('../bundles/store.ts').then(({ createBundleStore }) =>
      createBundleStore({ ...settings, progress }),
    );
    return opening;
  };

  return {
    bundleFolder: sha256 => join(folder, sha256),
    download: () => download,
    fetchBundles: async (placed, signal) => {
      const named = bundlesOf(placed);
      if (named.length === 0) return;
      const store = await bundles();
      const missing = named.filter(({ bundle }) => !store.has(bundle.sha256));
      if (missing.length === 0) return;
      const sourceOf = await sourceResolver(placed);
      const wanted = missing.map(
        ({ name, bundle }): WantedBundle => ({
          ...bundle,
          subject: `modules.${name}.bundle`,
          source: sourceOf(bundle, `modules.${name}.bundle`),
        }),
      );
      await store.fetchBundles(wanted, signal).finally(forget);
    },
    fetchFile: async (placed, artifact, subject, maxBytes, signal) => {
      const sourceOf = await sourceResolver(placed);
      const wanted = { subject, sha256: artifact.sha256, source: sourceOf(artifact, subject) };
      return (await bundles()).fetchFile(wanted, maxBytes, signal).finally(forget);
    },
    removeUnused: async kept => {
      if (!existsSync(folder)) return;
      const store = await bundles();
      await store.removeUnused(new Set(kept.flatMap(bundlesOf).map(({ bundle }) => bundle.sha256)));
    },
  };
}

function bundlesOf({ manifest }: Placed) {
  return manifest.modules.flatMap(({ name, bundle }) => (bundle === undefined ? [] : [{ name, bundle }]));
}

/**
 * Creates a function that locates the files of a manifest. A file in the manifest's pack is read from the
 * pack. Any other file is read from the path or URL in its field `from`.
 */
export async function sourceResolver({
  home,
  pack,
}: Placed): Promise<(artifact: Artifact, subject: string) => ArtifactSource> {
  const packed = pack !== undefined && existsSync(pack) ? await filesOf(pack) : undefined;
  return ({ sha256, from }, subject) => {
    const part = packed?.get(sha256);
    if (part !== undefined && pack !== undefined) return { path: pack, part };
    if (from?.includes('://') === true) return { url: from };
    if (from !== undefined && pack === undefined) return { path: resolve(home, from) };
    const problem = pack === undefined ? 'has no "from"' : `is not in ${pack}`;
    throw new Failure('bundle.missing', `${subject} ${problem}: add a "from", or make the pack again.`);
  };
}

async function filesOf(pack: string) {
  const { openPack } = await import('../bundles/pack/open-pack.ts');
  return (await openPack(pack)).files;
}
