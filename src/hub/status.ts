import type { BrokerFigures } from '../broker/types.ts';
import type { ShareReport } from '../core/capacity/shares.ts';
import type { DeploymentStatus } from '../deployment/deployments.ts';
import type { QueueStats, StoreCounts, StoreHealth } from '../queue/types.ts';
import type { RouteCounts } from '../routes/dispatcher.ts';
import type { BinaryName } from '../self-update/paths.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import type { ClosedListener } from './listening.ts';
import type { MemoryStatus } from './memory.ts';
import type { RefusedRoute } from './plan.ts';
import type { RouterCounts } from './router.ts';
import type { UpstreamStatus } from './upstreams.ts';

/** All that a running hub says of itself: what `ps`, `queue` and `routes` print parts of, and `--json` whole. */
export type HubStatus = {
  readonly name: string;
  readonly pid: number;
  /** Which hub this is: the one that was installed, or an update of it in a slot. */
  readonly hub: { readonly version: string; readonly binary: BinaryName; readonly onTrial: boolean };
  /** The memory budget, and what is used of it. */
  readonly memory: MemoryStatus;
  readonly listeners: readonly string[];
  /** Listeners that could not be opened and are tried again. */
  readonly closedListeners: readonly ClosedListener[];
  readonly deployment: DeploymentStatus;
  readonly modules: readonly ModuleStatus[];
  readonly routes: readonly (RouteCounts & { readonly name: string; readonly text: string })[];
  /** Routes of the manifest that are not run, and why. */
  readonly refusedRoutes: readonly RefusedRoute[];
  /** What of the routes that run can hardly be meant. */
  readonly routeWarnings: readonly string[];
  readonly queues: readonly QueueStats[];
  readonly store: StoreHealth;
  readonly upstreams: readonly UpstreamStatus[];
  /** What clients hold of the resources that they share. */
  readonly shares: readonly ShareReport[];
  readonly counts: {
    readonly broker: BrokerFigures;
    readonly router: Readonly<RouterCounts>;
    readonly store: Readonly<StoreCounts>;
  };
};
