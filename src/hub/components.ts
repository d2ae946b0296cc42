import type { AccessControl } from '../auth/access-control.ts';
import { createAccessControl } from '../auth/access-control.ts';
import type { Broker } from '../broker/broker.ts';
import type { BrokerLimits } from '../broker/types.ts';
import type { Resources } from '../core/capacity/resources.ts';
import { reportOf } from '../core/capacity/resources.ts';
import type { Clock } from '../core/clock.ts';
import type { LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { escapeHidden } from '../core/text/escape.ts';
import type { Artifacts } from '../deployment/artifacts.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Store } from '../queue/types.ts';
import type { Launched } from '../self-update/launch.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import { wireBroker } from './broker-wiring.ts';
import type { Listeners } from './listeners.ts';
import { createListeners } from './listeners.ts';
import type { MemoryKeeper } from './memory/keeper.ts';
import { listenerMetrics, memoryMetrics, moduleMetrics, upstreamMetrics } from './metrics.ts';
import type { Modules } from './modules/modules.ts';
import { createModules } from './modules/modules.ts';
import type { Routing } from './routing/compiled-routes.ts';
import { routingOf } from './routing/compiled-routes.ts';
import type { Router } from './routing/router.ts';
import { secretOpener } from './secrets.ts';
import type { HubStatus } from './status.ts';
import type { HubResources } from './storage/resources.ts';
import type { Upstreams } from './upstreams.ts';
import { createUpstreams } from './upstreams.ts';

/** Components of a hub. Each component can be reconfigured without a restart of the other components. */
export type Components = {
  readonly store: Pick<Store, 'setBounds'>;
  readonly access: AccessControl;
  readonly broker: Broker;
  readonly router: Router;
  readonly limits: {
    readonly use: (manifest: Pick<Manifest, 'limits' | 'retained' | 'storeAndForward'>) => void;
  };
  readonly routing: { readonly current: () => Routing; readonly use: (routing: Routing) => void };
  readonly listening: Listeners;
  readonly upstreams: Upstreams;
  readonly modules: Modules;
};

export type PartsSettings = {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logSink: LogSink;
  readonly memory: MemoryKeeper;
  readonly launched: Pick<Launched, 'watchdog'>;
};

/**
 * Creates and connects the components. `manifest` is the initial manifest, which has no modules or listeners.
 */
export function openComponents(
  settings: PartsSettings,
  store: Store,
  resources: HubResources,
  manifest: Manifest,
  { bundleFolder }: Pick<Artifacts, 'bundleFolder'>,
): Components {
  const { dataFolder, clock, random, logSink, launched } = settings;
  let routing = routingOf(manifest);
  let limits = brokerLimits(manifest);
  const brokerLog = logFor('broker', logSink);
  const access = createAccessControl(manifest, {
    clock,
    random,
    log: brokerLog,
    findPeer: (socket, done) => modules.findPeer(socket, done),
  });
  const { broker, router } = wireBroker({
    clock,
    memory: settings.memory,
    random,
    log: brokerLog,
    store,
    access,
    resources: resources.shares,
    inputs: () => routing.mqttInputs,
    limits: () => limits,
    health: (module, well, text) =>
      modules.reportHealth(module, well, `the module reported "${escapeHidden(text)}"`),
    readings: () =>
      new Map([
        ...memoryMetrics(settings.memory.status()),
        ...moduleMetrics(modules.statuses()),
        ...upstreamMetrics(upstreams.statuses()),
        ...listenerMetrics(listening),
      ]),
  });
  const listening = createListeners({ listen: broker.listen, clock, log: brokerLog });
  const openSecret = secretOpener(settings);
  const modules: Modules = createModules({
    dataFolder,
    clock,
    logSink,
    broker,
    store,
    router,
    countInput: settings.memory.countInput,
    guard: launched.watchdog,
    brokerUrl: listening.urlForModules,
    tokenOf: access.tokenOf,
    bundleFolder,
    openSecret,
  });
  const upstreams = createUpstreams({
    store,
    clock,
    random,
    openSecret,
    logSink,
    take: (message, settle, note) => router.route(message, settle, note),
  });
  const holder: Components['routing'] = {
    current: () => routing,
    use: wanted => {
      routing = wanted;
    },
  };
  const limitsHolder: Components['limits'] = {
    use: wanted => {
      limits = brokerLimits(wanted);
      resources.use(wanted);
    },
  };
  return {
    store,
    limits: limitsHolder,
    access,
    broker,
    router,
    routing: holder,
    listening,
    upstreams,
    modules,
  };
}

function brokerLimits({ limits, retained }: Pick<Manifest, 'limits' | 'retained'>): BrokerLimits {
  const { packetSize, keepAlive, connections } = limits;
  return { packetSize, keepAlive, connections, retained };
}

/** Returns the status of the manifest's modules, including modules that have not started yet. */
function moduleStatuses({ modules, routing }: Pick<Components, 'modules' | 'routing'>): ModuleStatus[] {
  const known = modules.statuses();
  const names = new Set(known.map(({ name }) => name));
  const awaited = routing.current().manifest.modules.filter(({ name }) => !names.has(name));
  return [...known, ...awaited.map(({ name }) => ({ ...NOT_STARTED, name }))];
}

const NOT_STARTED = {
  state: 'stopped',
  pid: undefined,
  uptimeMs: undefined,
  restarts: 0,
  lastExit: undefined,
  lastLines: [],
  checkFailure: undefined,
  late: false,
  cutLines: 0,
  printedLines: undefined,
  refusedLines: 0,
  lostLogLines: 0,
  usage: {},
  notEnforced: [],
} as const;

/** Returns the status of all components. */
export function statusOf(
  parts: Components,
  store: Store,
  resources: Resources,
): Omit<HubStatus, 'deployment' | 'hub' | 'memory'> {
  const { broker, router, routing, listening, upstreams } = parts;
  return {
    name: routing.current().manifest.name,
    pid: process.pid,
    listeners: listening.addresses(),
    closedListeners: listening.closed(),
    modules: moduleStatuses(parts),
    ...routing.current().status(),
    queues: store.stats(),
    store: store.health(),
    upstreams: upstreams.statuses(),
    shares: reportOf(resources),
    counts: { broker: broker.counts(), router: router.counts(), store: store.counts() },
  };
}
