import type { BrokerFigures } from '../broker/types.ts';
import type { ShareReport } from '../core/capacity/shares.ts';
import type { DeploymentStatus } from '../deployment/deployments.ts';
import type { QueueStats, StoreCounts, StoreHealth } from '../queue/types.ts';
import type { RouteCounts } from '../routes/dispatcher.ts';
import type { BinaryName } from '../self-update/paths.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import type { ClosedListener } from './listeners.ts';
import type { MemoryStatus } from './memory/keeper.ts';
import type { RefusedRoute } from './routing/route-plan.ts';
import type { RouterCounts } from './routing/router.ts';
import type { UpstreamStatus } from './upstreams.ts';

/**
 * Status of a running hub. The commands `ps`, `queue` and `routes` print parts of the status. `ps --json`
 * prints the whole status.
 */
export type HubStatus = {
  readonly name: string;
  readonly pid: number;
  /** Version and binary of the running hub. `binary` is the installed binary or the slot of a self-update. */
  readonly hub: { readonly version: string; readonly binary: BinaryName; readonly onTrial: boolean };
  /** Memory budget and memory usage. */
  readonly memory: MemoryStatus;
  readonly listeners: readonly string[];
  /** Listeners that could not be opened. The hub tries to open them again. */
  readonly closedListeners: readonly ClosedListener[];
  readonly deployment: DeploymentStatus;
  readonly modules: readonly ModuleStatus[];
  readonly routes: readonly (RouteCounts & { readonly name: string; readonly text: string })[];
  /** Refused routes with their reasons. */
  readonly refusedRoutes: readonly RefusedRoute[];
  /** Warnings about routes that are valid but probably not intended. */
  readonly routeWarnings: readonly string[];
  readonly queues: readonly QueueStats[];
  readonly store: StoreHealth;
  readonly upstreams: readonly UpstreamStatus[];
  /** Usage of each limited resource. */
  readonly shares: readonly ShareReport[];
  readonly counts: {
    readonly broker: BrokerFigures;
    readonly router: Readonly<RouterCounts>;
    readonly store: Readonly<StoreCounts>;
  };
};
