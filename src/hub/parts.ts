import type { Broker } from '../broker/broker.ts';
import type { Clock } from '../core/clock.ts';
import type { LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Store } from '../queue/types.ts';
import type { AccessControl } from './access-control.ts';
import { createAccessControl } from './access-control.ts';
import type { Provisions } from './deployment/provisions.ts';
import { openFlow } from './flow.ts';
import type { Listening } from './listening.ts';
import { createListening } from './listening.ts';
import type { Modules } from './modules.ts';
import { createModules } from './modules.ts';
import { moduleReadings } from './readings.ts';
import type { Router } from './router.ts';
import type { Routing } from './routing.ts';
import { routingOf } from './routing.ts';
import { secretOpener } from './secrets.ts';
import type { HubStatus } from './status.ts';
import type { Upward } from './upward.ts';
import { createUpward } from './upward.ts';

/** The parts of a hub, each of which can be told to be another without the others' noticing. */
export type Parts = {
  readonly store: Pick<Store, 'bound'>;
  readonly access: AccessControl;
  readonly broker: Broker;
  readonly router: Router;
  readonly routing: { readonly current: () => Routing; readonly use: (routing: Routing) => void };
  readonly listening: Listening;
  readonly upward: Upward;
  readonly modules: Modules;
};

export type PartsSettings = {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logSink: LogSink;
};

/** Makes the parts and ties them together; they do what `manifest` says, which says hardly anything yet. */
export function openParts(
  settings: PartsSettings,
  store: Store,
  manifest: Manifest,
  { folderOf }: Pick<Provisions, 'folderOf'>,
): Parts {
  const { dataFolder, clock, random, logSink } = settings;
  let routing = routingOf(manifest);
  const brokerLog = logFor('broker', logSink);
  const access = createAccessControl(manifest, { clock, random, log: brokerLog });
  const { broker, router } = openFlow({
    clock,
    random,
    log: brokerLog,
    store,
    access,
    inputs: () => routing.inputs,
    health: (module, well) => modules.reportHealth(module, well),
    readings: () => moduleReadings(modules.statuses()),
  });
  const listening = createListening(broker);
  const modules: Modules = createModules({
    dataFolder,
    clock,
    logSink,
    store,
    router,
    brokerUrl: listening.urlForModules,
    tokenOf: access.tokenOf,
    bundleFolder: folderOf,
    openSecret: secretOpener(settings),
  });
  const upward = createUpward({ store, clock, random, log: logFor('upstream', logSink) });
  const holder: Parts['routing'] = {
    current: () => routing,
    use: wanted => {
      routing = wanted;
    },
  };
  return { store, access, broker, router, routing: holder, listening, upward, modules };
}

/** What all parts say of themselves. */
export function statusOf(parts: Parts, store: Store): Omit<HubStatus, 'deployment'> {
  const { broker, router, routing, listening, upward, modules } = parts;
  return {
    name: routing.current().manifest.name,
    pid: process.pid,
    listeners: listening.addresses(),
    modules: modules.statuses(),
    ...routing.current().status(),
    queues: store.stats(),
    store: store.health(),
    upstream: upward.status(),
    counts: { broker: broker.counts(), router: router.counts(), store: store.counts() },
  };
}
