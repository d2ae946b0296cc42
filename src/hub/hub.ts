import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Grants } from '../broker/access.ts';
import { createAccess } from '../broker/access.ts';
import type { Broker } from '../broker/broker.ts';
import { createBroker } from '../broker/broker.ts';
import type { Clock } from '../core/clock.ts';
import { SESSION_QUEUE_BYTES } from '../core/limits.ts';
import type { LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import { useNativeFolder } from '../core/native.ts';
import type { Random } from '../core/random.ts';
import type { Manifest } from '../manifest/types.ts';
import { lockFolder } from '../queue/lock.ts';
import { openStore } from '../queue/store.ts';
import type { Store } from '../queue/types.ts';
import { createDispatcher } from '../routes/dispatcher.ts';
import type { Forwarder } from '../upstream/forwarder.ts';
import { startForwarder } from '../upstream/forwarder.ts';
import { controlPath, serveControl } from './control.ts';
import { grantsOf } from './grants.ts';
import type { Identities } from './identities.ts';
import { createIdentities } from './identities.ts';
import { keepSessions } from './kept-sessions.ts';
import type { Listening } from './listeners.ts';
import { listenerSettings, urlForModules } from './listeners.ts';
import type { Modules } from './modules.ts';
import { createModules } from './modules.ts';
import { inputQueue, inputTopic, isSessionQueue, UPSTREAM_QUEUE } from './names.ts';
import type { Input } from './plan.ts';
import { inputsOf, planRoutes } from './plan.ts';
import { controlQueues } from './queue-control.ts';
import { moduleReadings } from './readings.ts';
import { controlRoutes } from './route-control.ts';
import { warningsOf } from './route-warnings.ts';
import type { Router } from './router.ts';
import { createRouter, SESSION_PRIORITY } from './router.ts';
import type { HubStatus } from './status.ts';

/** What the hub keeps is for its user alone: messages, logs and sockets. */
const PRIVATE = { recursive: true, mode: 0o700 };

export type HubSettings = {
  readonly manifest: Manifest;
  /** The folder that relative paths of the manifest start from. */
  readonly home: string;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logSink: LogSink;
};

export type Hub = {
  readonly status: () => HubStatus;
  /** Modules first, so that their last words are taken in; the store last but for its lock. Called once. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts a hub: checks all that can be checked, takes the data folder and the ports, and only then starts
 * modules.
 * @throws Failure of the room that could not start; nothing is left running then
 */
export async function startHub(settings: HubSettings): Promise<Hub> {
  const { manifest, dataFolder, logSink } = settings;
  const { routes, refused } = planRoutes(manifest);
  const warnings = warningsOf(manifest, routes);
  const inputs = inputsOf(routes);
  const grants = grantsOf(manifest);
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const lock = await lockFolder(dataFolder);
    closers.push(lock.release);

    for (const name of ['logs', 'run']) mkdirSync(join(dataFolder, name), PRIVATE);
    useNativeFolder(join(dataFolder, 'native'));
    const store = await openQueues(settings);
    closers.push(store.close);

    const dispatcher = createDispatcher(routes);
    const identities = createIdentities({ ...settings, log: logFor('broker', logSink) });
    let supervisor: Modules | undefined;
    const health = (module: string, well: boolean): void => supervisor?.reportHealth(module, well);
    const { broker, router } = openBroker({
      ...settings,
      store,
      identities,
      grants,
      inputs,
      dispatcher,
      health,
      readings: () => moduleReadings(supervisor?.statuses() ?? []),
    });
    closers.push(broker.close);
    const listening: Listening[] = [];
    for (const entry of manifest.listeners) {
      const address = await broker.listen(listenerSettings(entry, settings.home));
      listening.push({ kind: entry.kind, address });
    }
    const listeners = listening.map(({ address }) => address);
    const brokerUrl = urlForModules(listening);

    const forwarder = openForwarder(settings, store);
    if (forwarder !== undefined) closers.push(forwarder.stop);

    const modules = createModules({ ...settings, store, router, inputs, identities, brokerUrl });
    supervisor = modules;

    const status = (): HubStatus => {
      const counts = dispatcher.counts();
      return {
        name: manifest.name,
        pid: process.pid,
        listeners,
        modules: modules.statuses(),
        routes: routes.map(({ name, route }) => ({ name, text: route.text, ...countsOf(counts, name) })),
        refusedRoutes: refused,
        routeWarnings: warnings,
        queues: store.stats(),
        store: store.health(),
        upstream: forwarder?.status(),
        counts: { broker: broker.counts(), router: router.counts(), store: store.counts() },
      };
    };
    const control = await serveControl(controlPath(dataFolder), {
      status,
      supervisor: modules,
      queues: controlQueues(store),
      routes: controlRoutes({ ...settings, routes, store }),
    });
    closers.push(control.close, modules.stop);

    const log = logFor('hub', logSink);
    for (const { reason } of refused) log.error(`A route is refused, the others run: ${reason}`);
    for (const warning of warnings) log.warn(warning);
    log.info(`"${manifest.name}" listens on ${listeners.join(', ') || 'no port'}.`);
    await modules.takeDownLeft();
    // Some may take their time to be ready, and a hub that is told to stop meanwhile stops.
    void modules.startAll();
    return { status, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** A session that stays away loses its own oldest messages; it never refuses a publisher. */
function openQueues({ manifest, dataFolder, clock, logSink }: HubSettings): Promise<Store> {
  const { maxQueueSize, whenFull, ...rest } = manifest.storeAndForward;
  const session = {
    maxSize: maxQueueSize ?? Math.min(SESSION_QUEUE_BYTES, rest.maxSize / 4),
    whenFull: 'dropOldest',
  } as const;
  const queue = maxQueueSize === undefined ? undefined : { maxSize: maxQueueSize, whenFull };
  return openStore({
    ...rest,
    whenFull,
    bound: name => (isSessionQueue(name) ? session : queue),
    folder: join(dataFolder, 'store'),
    clock,
    log: logFor('queue', logSink),
  });
}

type FlowSettings = HubSettings & {
  readonly store: Store;
  readonly identities: Identities;
  readonly grants: Grants;
  readonly inputs: readonly Input[];
  readonly dispatcher: ReturnType<typeof createDispatcher>;
  readonly health: (module: string, well: boolean) => void;
  readonly readings: () => ReadonlyMap<string, string>;
};

type Flow = { readonly broker: Broker; readonly router: Router };

/** Ties broker and router: what comes in is routed, what is routed goes to subscribers. */
function openBroker(settings: FlowSettings): Flow {
  const {
    manifest,
    clock,
    random,
    logSink,
    store,
    identities,
    grants,
    inputs,
    dispatcher,
    health,
    readings,
  } = settings;
  const log = logFor('broker', logSink);
  const broker = createBroker({
    clock,
    random,
    log,
    host: {
      sessions: keepSessions(store, log),
      retained: store.retained,
      now: store.now,
      readings,
      queues: () => store.stats().map(({ queue }) => queue),
      purge: store.purge,
      enqueue: (message, queue, settle) =>
        store.append(message, [{ queue, priority: SESSION_PRIORITY, ttl: undefined }], settle),
      ...createAccess(grants),
      authenticate: identities.authenticate,
      publish: (message, settle, note) => router.route(message, settle, note),
      passing: (origin, topic) => router.passing(origin, topic),
      drain: store.drain,
      endpoints: identity =>
        inputs
          .filter(({ module }) => identity.kind === 'module' && module === identity.module)
          .map(({ module, input }) => ({
            topic: inputTopic(module, input),
            queue: inputQueue(module, input),
          })),
    },
  });
  const router = createRouter({ device: manifest.name, wall: clock.wall, dispatcher, store, broker, health });
  return { broker, router };
}

function openForwarder(
  { manifest, clock, random, logSink }: HubSettings,
  store: Store,
): Forwarder | undefined {
  if (manifest.upstream === undefined) return undefined;
  return startForwarder({
    ...manifest.upstream,
    device: manifest.name,
    drain: settings => store.drain(UPSTREAM_QUEUE, settings),
    clock,
    random,
    log: logFor('upstream', logSink),
  });
}

function countsOf(counts: ReturnType<ReturnType<typeof createDispatcher>['counts']>, name: string) {
  return counts[name] ?? { matched: 0, unmatched: 0, undefined: 0, errors: 0 };
}
