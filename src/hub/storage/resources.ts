import { capacityFor } from '../../broker/listeners/capacity.ts';
import type { Resources } from '../../core/capacity/resources.ts';
import { createResources } from '../../core/capacity/resources.ts';
import { maxOpenFiles } from '../../core/proc.ts';
import type { Manifest } from '../../manifest/types.ts';
import { resourceBoundsOf } from './bounds.ts';

type Bounding = Pick<Manifest, 'limits' | 'storeAndForward'>;

/**
 * Resources of the hub that users, modules and addresses share. The current manifest sets the limits of the
 * resources.
 */
export type HubResources = {
  readonly shares: Resources;
  readonly use: (manifest: Bounding) => void;
};

export function openResources(manifest: Bounding): HubResources {
  const { clients: openable } = capacityFor(maxOpenFiles());
  let bounds = resourceBoundsOf(manifest, openable);
  return {
    shares: createResources(() => bounds),
    use: wanted => {
      bounds = resourceBoundsOf(wanted, openable);
    },
  };
}
