import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DownloadProgress } from '../bundles/download.ts';
import type { BundleStore } from '../bundles/store.ts';
import type { LocalSource, Source, WantedBundle } from '../bundles/types.ts';
import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import type { Artifact } from '../manifest/types.ts';

/** What a deployment needs beyond its manifest. */
export type Provisions = {
  /** Brings here the bundles of all modules, whole and checked. Failures of `bundle`; then nothing has changed. */
  readonly prepare: (placed: Placed, signal: AbortSignal) => Promise<void>;
  /** Brings here one file that is no bundle, of at most so many bytes. */
  readonly obtain: (
    placed: Placed,
    artifact: Artifact,
    subject: string,
    most: number,
    signal: AbortSignal,
  ) => Promise<LocalSource>;
  /** Where the bundle with this hash is. */
  readonly folderOf: (sha256: string) => string;
  /** The download that is under way; undefined if there is none. */
  readonly download: () => DownloadProgress | undefined;
  /** Removes bundles that none of these needs. */
  readonly collect: (kept: readonly Placed[]) => Promise<void>;
};

export type ProvisionsSettings = { readonly folder: string; readonly clock: Clock; readonly log: Log };

export function createProvisions(settings: ProvisionsSettings): Provisions {
  const { folder } = settings;
  let opening: Promise<BundleStore> | undefined;
  let download: DownloadProgress | undefined;
  const progress = (now: DownloadProgress): void => {
    download = now;
  };
  const forget = (): void => {
    download = undefined;
  };
  // Loaded with the first bundle: most hubs have none.
  const bundles = (): Promise<BundleStore> => {
    opening ??= import('../bundles/store.ts').then(({ createBundleStore }) =>
      createBundleStore({ ...settings, progress }),
    );
    return opening;
  };

  return {
    folderOf: sha256 => join(folder, sha256),
    download: () => download,
    prepare: async (placed, signal) => {
      const named = bundlesOf(placed);
      if (named.length === 0) return;
      const store = await bundles();
      const missing = named.filter(({ bundle }) => !store.has(bundle.sha256));
      if (missing.length === 0) return;
      const sourceOf = await sourcesIn(placed);
      const wanted = missing.map(
        ({ name, bundle }): WantedBundle => ({
          ...bundle,
          subject: `modules.${name}.bundle`,
          source: sourceOf(bundle, `modules.${name}.bundle`),
        }),
      );
      await store.prepare(wanted, signal).finally(forget);
    },
    obtain: async (placed, artifact, subject, most, signal) => {
      const sourceOf = await sourcesIn(placed);
      const wanted = { subject, sha256: artifact.sha256, source: sourceOf(artifact, subject) };
      return (await bundles()).obtain(wanted, most, signal).finally(forget);
    },
    collect: async kept => {
      if (!existsSync(folder)) return;
      const store = await bundles();
      await store.collect(new Set(kept.flatMap(bundlesOf).map(({ bundle }) => bundle.sha256)));
    },
  };
}

function bundlesOf({ manifest }: Placed) {
  return manifest.modules.flatMap(({ name, bundle }) => (bundle === undefined ? [] : [{ name, bundle }]));
}

/** Where files that a manifest names are: in the pack that it came in, else where it says. */
export async function sourcesIn({
  home,
  pack,
}: Placed): Promise<(artifact: Artifact, subject: string) => Source> {
  const packed = pack !== undefined && existsSync(pack) ? await filesOf(pack) : undefined;
  return ({ sha256, from }, subject) => {
    const part = packed?.get(sha256);
    if (part !== undefined && pack !== undefined) return { path: pack, part };
    if (from?.includes('://') === true) return { url: from };
    if (from !== undefined && pack === undefined) return { path: resolve(home, from) };
    const place = pack === undefined ? 'has no "from"' : `is not in ${pack} (any more)`;
    throw new Failure('bundle.missing', `${subject} ${place}: say where it is, or make the pack anew.`);
  };
}

async function filesOf(pack: string) {
  const { openPack } = await import('../bundles/open-pack.ts');
  return (await openPack(pack)).files;
}
