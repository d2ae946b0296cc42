import type { AccessControl } from '../auth/access-control.ts';
import type { Broker } from '../broker/broker.ts';
import { createBroker } from '../broker/broker.ts';
import type { BrokerLimits } from '../broker/types.ts';
import type { Resources } from '../core/capacity/resources.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Store } from '../queue/types.ts';
import type { MemoryKeeper } from './memory/keeper.ts';
import { keepSessions } from './persistence/sessions.ts';
import { inputQueue, inputTopic } from './queue-names.ts';
import type { Input } from './routing/route-plan.ts';
import type { Router } from './routing/router.ts';
import { createRouter, SESSION_PRIORITY } from './routing/router.ts';
import { assignTo } from './storage/queue-shares.ts';

export type BrokerWiringSettings = {
  readonly clock: Clock;
  readonly random: Random;
  readonly memory: Pick<MemoryKeeper, 'budget' | 'countInput'>;
  readonly log: Log;
  readonly store: Store;
  readonly access: AccessControl;
  readonly resources: Resources;
  /** Returns the module inputs to which routes deliver messages over MQTT. */
  readonly inputs: () => readonly Input[];
  readonly limits: () => BrokerLimits;
  /** Called when a module reports its health over MQTT. */
  readonly health: (module: string, well: boolean, text: string) => void;
  readonly readings: () => ReadonlyMap<string, string>;
};

/**
 * Creates the broker and the router, and connects them. The router receives the messages that clients
 * publish. The broker delivers routed messages to subscribers.
 */
export function wireBroker(settings: BrokerWiringSettings): {
  readonly broker: Broker;
  readonly router: Router;
} {
  const { clock, random, log, store, access, resources, inputs, limits, health, readings } = settings;
  const broker = createBroker({
    clock,
    random,
    log,
    host: {
      sessions: keepSessions(store, log),
      pressure: store.pressure,
      budget: settings.memory.budget,
      countInput: settings.memory.countInput,
      retained: store.retained,
      now: store.now,
      limits,
      readings,
      queues: () => store.stats().map(({ queue }) => queue),
      purge: store.purge,
      enqueue: (message, queue, settle) =>
        store.append(message, [{ queue, priority: SESSION_PRIORITY, ttl: undefined }], settle),
      mayPublish: access.mayPublish,
      maySubscribe: access.maySubscribe,
      mayReceive: access.mayReceive,
      granted: access.granted,
      authenticate: access.authenticate,
      holderOf: access.holderOf,
      shares: resources,
      assignQueue: assignTo(store, resources.queueBytes),
      publish: (message, settle, note) => router.route(message, settle, note),
      fastPathCounter: (origin, topic) => router.fastPathCounter(origin, topic),
      drain: store.drain,
      endpoints: identity =>
        inputs()
          .filter(({ module }) => identity.kind === 'module' && module === identity.module)
          .map(({ module, input }) => ({
            topic: inputTopic(module, input),
            queue: inputQueue(module, input),
          })),
    },
  });
  const router = createRouter({ wall: clock.wall, store, broker, health });
  return { broker, router };
}
