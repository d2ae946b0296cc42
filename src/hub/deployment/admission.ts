import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Placed } from '../../manifest/plan.ts';
import { parseManifest, readManifestText } from '../../manifest/read.ts';
import { grantsOf } from '../grants.ts';
import { planRoutes } from '../plan.ts';
import type { Archive } from './archive.ts';
import type { Deployment, Ledger } from './record.ts';
import { deploymentId } from './record.ts';

/** A manifest that may be run. */
export type Admitted = { readonly deployment: Deployment; readonly text: string; readonly placed: Placed };

/** Decides what may be run. */
export type Admission = {
  /** Reads and checks a manifest by its absolute path. Failures of `manifest`, each one sentence. */
  readonly read: (file: string) => Promise<Admitted>;
  /** Refuses what nobody vouches for, or what is older than the newest. Failures of `signature`. */
  readonly vouch: (admitted: Admitted, newest: Ledger['newest']) => Promise<void>;
  /** What was admitted before, from the archive. Failure `deployment.lost`. */
  readonly again: (deployment: Deployment) => Placed;
};

export type AdmissionSettings = { readonly archive: Archive; readonly clock: Pick<Clock, 'wall'> };

export function createAdmission({ archive, clock }: AdmissionSettings): Admission {
  return {
    vouch: async (_admitted, _newest) => {},
    read: async file => {
      const text = readManifestText(file);
      const manifest = parseManifest(text, file);
      grantsOf(manifest);
      const home = dirname(file);
      const { name, serial } = manifest;
      const deployment = { id: deploymentId(text, home), home, name, serial, taken: clock.wall() };
      return { deployment, text, placed: { manifest, home } };
    },
    again: ({ id, home, name }) => {
      const text = archive.read(id);
      if (text === undefined) {
        const sentence = `The manifest of "${name}" is not in the data folder any more: apply it again.`;
        throw new Failure('deployment.lost', sentence);
      }
      return { manifest: parseManifest(text, `deployments/${id}.json`), home };
    },
  };
}

/** Refuses a manifest of which a route is wrong: what is applied is to work as a whole. Failure `route.syntax`. */
export function refuseBadRoutes({ manifest }: Placed): void {
  const [first] = planRoutes(manifest).refused;
  if (first !== undefined) throw new Failure('route.syntax', first.reason);
}
