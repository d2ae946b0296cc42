import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { parseManifest } from '../manifest/read.ts';
import type { Deployment } from './deployment.ts';
import { deploymentId, titleOf } from './deployment.ts';
import type { ManifestFiles } from './manifest-files.ts';

/** Parsed manifest with its text. */
type ReadManifest = { readonly text: string; readonly placed: Placed };

/** Parsed manifest. If the manifest cannot be read, `lost` is the reason. */
export type LoadedManifest = { readonly placed: Placed } | { readonly lost: string };

/** Cache of parsed manifests. A cached manifest remains usable if its file is damaged later. */
export type ManifestCache = {
  readonly set: (deployment: Deployment, placed: Placed) => void;
  /**
   * Returns the cached manifest of a deployment. If the manifest is not cached, reads its file. If the file
   * contains the text of `given`, returns `given` without parsing the file.
   */
  readonly load: (deployment: Deployment, given?: ReadManifest) => LoadedManifest;
  /** Removes all manifests from the cache and from the disk, except those of `deployments`. */
  readonly retain: (deployments: readonly Deployment[]) => void;
};

/**
 * Maximum number of cached manifests: the current one, the last healthy one, and the one of the deployment in
 * progress.
 */
const MAX_CACHED = 3;

export function createManifestCache(files: ManifestFiles): ManifestCache {
  const cached = new Map<string, Placed>();

  const set: ManifestCache['set'] = ({ id }, placed) => {
    cached.delete(id);
    cached.set(id, placed);
    const [oldest] = cached.keys();
    if (cached.size > MAX_CACHED && oldest !== undefined) cached.delete(oldest);
  };

  return {
    set,
    load: (deployment, given) => {
      const placed = cached.get(deployment.id);
      if (placed !== undefined) return { placed };
      const found = loadFile(files, deployment, given);
      if ('placed' in found) set(deployment, found.placed);
      return found;
    },
    retain: deployments => {
      const ids = new Set(deployments.map(({ id }) => id));
      for (const id of cached.keys()) if (!ids.has(id)) cached.delete(id);
      files.retain(ids);
    },
  };
}

function loadFile(
  files: ManifestFiles,
  deployment: Deployment,
  given: ReadManifest | undefined,
): LoadedManifest {
  const { id, home, pack } = deployment;
  const lost = (why: string): LoadedManifest => ({
    lost: `The saved manifest of ${titleOf(deployment)} cannot be read (${why})`,
  });
  try {
    const text = files.read(id);
    if (text === undefined) return lost('its file is missing');
    if (deploymentId(text, home) !== id) return lost('its file is corrupted');
    if (given?.text === text) return { placed: given.placed };
    return { placed: { manifest: parseManifest(text, join('deployments', `${id}.json`)), home, pack } };
  } catch (thrown) {
    // Two causes are expected: the disk fails, or a newer version of the hub saved a manifest that this
    // version does not accept.
    if (thrown instanceof Failure || systemCode(thrown) !== undefined) return lost(reasonOf(thrown));
    throw thrown;
  }
}
