import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { parseManifest } from '../manifest/read.ts';
import type { Deployment } from './deployment.ts';
import { deploymentId, titleOf } from './deployment.ts';
import type { Archive } from './manifest-files.ts';

/** A manifest that was read, and its text. */
type Given = { readonly text: string; readonly placed: Placed };

/** `lost`: which manifest cannot be had any more and why, a sentence but for its end. */
export type Found = { readonly placed: Placed } | { readonly lost: string };

/** The manifests that were taken. Those that are in use are parsed once, and a file that is damaged meanwhile is not missed. */
export type Taken = {
  /** `placed` is what `deployment` says. */
  readonly know: (deployment: Deployment, placed: Placed) => void;
  /** `given` is the same, as it was just read: what the data folder has needs no parsing then. */
  readonly find: (deployment: Deployment, given?: Given) => Found;
  /** Forgets all others, and their texts. */
  readonly only: (deployments: readonly Deployment[]) => void;
};

/** What runs, what to come back to, and what is under way. */
const MOST_KNOWN = 3;

export function createTaken(archive: Archive): Taken {
  const known = new Map<string, Placed>();

  const know: Taken['know'] = ({ id }, placed) => {
    known.delete(id);
    known.set(id, placed);
    const [oldest] = known.keys();
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  };

  return {
    know,
    find: (deployment, given) => {
      const placed = known.get(deployment.id);
      if (placed !== undefined) return { placed };
      const found = readAgain(archive, deployment, given);
      if ('placed' in found) know(deployment, found.placed);
      return found;
    },
    only: deployments => {
      const ids = new Set(deployments.map(({ id }) => id));
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      archive.only(ids);
    },
  };
}

function readAgain(archive: Archive, deployment: Deployment, given: Given | undefined): Found {
  const { id, home, pack } = deployment;
  const lost = (why: string): Found => ({
    lost: `The manifest of ${titleOf(deployment)} cannot be read any more (${why})`,
  });
  try {
    const text = archive.read(id);
    if (text === undefined) return lost('it is not in the data folder');
    if (deploymentId(text, home) !== id) return lost('its file is damaged');
    if (given?.text === text) return { placed: given.placed };
    return { placed: { manifest: parseManifest(text, join('deployments', `${id}.json`)), home, pack } };
  } catch (thrown) {
    // A hub of another version may have taken it, or the disk does not give it.
    if (thrown instanceof Failure || systemCode(thrown) !== undefined) return lost(reasonOf(thrown));
    throw thrown;
  }
}
