import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { isIsolated } from '../../auth/identities.ts';
import type { Broker } from '../../broker/broker.ts';
import type { Clock } from '../../core/clock.ts';
import type { LogSink } from '../../core/log.ts';
import { logFor } from '../../core/log.ts';
import type { Message } from '../../core/message.ts';
import type { Placed } from '../../manifest/diff/plan.ts';
import type { ModuleEntry } from '../../manifest/types.ts';
import type { Store } from '../../queue/types.ts';
import type { ModuleStateChange, Supervisor, SupervisorHost } from '../../supervisor/spec.ts';
import { createSupervisor } from '../../supervisor/supervisor.ts';
import { inputQueue } from '../queue-names.ts';
import type { Input } from '../routing/route-plan.ts';
import type { Router } from '../routing/router.ts';
import type { LineDelivery } from './line-delivery.ts';
import { createLineDelivery } from './line-delivery.ts';
import { ackOfLine, messageOfLine } from './lines/from-module.ts';
import { createModuleSockets } from './module-sockets.ts';
import type { SpecHost } from './module-spec.ts';
import { specOf, withoutLinks } from './module-spec.ts';

export type ModulesSettings = Omit<SpecHost, 'socketOf'> & {
  readonly broker: Pick<Broker, 'listen'>;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly logSink: LogSink;
  readonly store: Store;
  readonly router: Router;
  /** Counts the bytes that modules have printed, for the memory keeper. */
  readonly countInput: (bytes: number) => void;
  /**
   * Pid of the watchdog process during the trial of a self-update. The supervisor moves the watchdog into the
   * hub's cgroup. Undefined if there is no watchdog.
   */
  readonly guard: number | undefined;
};

export type Modules = Omit<Supervisor, 'start' | 'adjust' | 'write'> & {
  /** Adds modules of a manifest and starts them in their startup order. */
  readonly start: (names: readonly string[], placed: Placed) => Promise<void>;
  /** Applies changed settings to running modules without a restart. */
  readonly adjust: (names: readonly string[], placed: Placed) => Promise<void>;
  /** Replaces the module inputs to which routes deliver messages. */
  readonly useInputs: (inputs: readonly Input[]) => void;
  /** Subscribes to changes of module states. Returns the unsubscribe function. */
  readonly watch: (heard: (change: ModuleStateChange) => void) => () => void;
};

/**
 * Connects the supervisor to the router and the queues. Each line that a module prints becomes a message for
 * the router. Queued messages for a module are written to the module's standard input as lines.
 */
export function createModules(settings: ModulesSettings): Modules {
  const { clock, logSink, router, store, guard } = settings;
  const dataFolder = withoutLinks(settings.dataFolder);
  const sockets = createModuleSockets(join(dataFolder, 'run'), settings.broker);
  const host: SpecHost = { ...settings, socketOf: sockets.open };
  const feeds = new Map<string, LineDelivery>();
  const acking = new Set<string>();
  /** Promises that resolve when the specification of a module has been computed, by module name. */
  const described = new Map<string, Promise<unknown>>();
  const watchers = new Set<(change: ModuleStateChange) => void>();
  let inputs: readonly Input[] = [];

  const routeLine: SupervisorHost['line'] = (module, line, settle) => {
    let message: Message;
    try {
      message = messageOfLine(module, line);
    } catch (error) {
      settle(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    router.route(message, settle);
  };

  const supervisor = createSupervisor({
    clock,
    log: logFor('supervisor', logSink),
    logFolder: join(dataFolder, 'logs'),
    runFolder: join(dataFolder, 'run'),
    ownFolders: join(dataFolder, 'modules'),
    hiddenFolder: dataFolder,
    watchdog: guard,
    host: {
      countInput: settings.countInput,
      pressure: store.pressure,
      line: (module, line, settle) => {
        const id = acking.has(module) ? ackOfLine(line) : undefined;
        if (id === undefined) routeLine(module, line, settle);
        else {
          feeds.get(module)?.done(id);
          settle();
        }
      },
      changed: change => {
        const { name, state } = change;
        if (state !== 'running' && state !== 'ready') feeds.get(name)?.stop();
        for (const onChange of watchers) onChange(change);
      },
      writable: module => feeds.get(module)?.writable(),
    },
  });

  const inputsOf = (name: string) =>
    inputs
      .filter(({ module }) => module === name)
      .map(({ input }) => ({
        input,
        drain: (wanted: Parameters<Store['drain']>[1]) => store.drain(inputQueue(name, input), wanted),
      }));

  const registerModule = ({ name, io, ack }: ModuleEntry): void => {
    feeds.get(name)?.stop();
    feeds.delete(name);
    acking.delete(name);
    if (io !== 'lines') return;
    if (ack) acking.add(name);
    const write = (line: Buffer, written: (error?: Error) => void): boolean =>
      supervisor.write(name, line, written);
    const feed = createLineDelivery({ module: name, ack, write, log: logFor('hub', logSink) });
    feed.use(inputsOf(name));
    feeds.set(name, feed);
  };

  return {
    ...supervisor,
    start: async (names, { manifest, home }) => {
      const entries = manifest.modules.filter(({ name }) => names.includes(name));
      // A module that runs as its own system user must be able to enter its folder inside the data folder.
      // Other users still cannot read the files in the data folder, because each file has a private mode.
      if (entries.some(isIsolated)) chmodSync(dataFolder, 0o711);
      for (const entry of entries) registerModule(entry);
      const specs = Promise.all(entries.map(entry => specOf(entry, home, host)));
      for (const { name } of entries) described.set(name, Promise.allSettled([specs]));
      await supervisor.start(await specs);
    },
    adjust: async (names, { manifest, home }) => {
      const entries = manifest.modules.filter(({ name }) => names.includes(name));
      for (const entry of entries) supervisor.adjust(await specOf(entry, home, host));
    },
    remove: async name => {
      // If the specification of the module is still being computed, waits for it. Otherwise the module would
      // start after its removal.
      await described.get(name);
      described.delete(name);
      await supervisor.remove(name);
      await sockets.close(name);
    },
    useInputs: wanted => {
      inputs = wanted;
      for (const [name, feed] of feeds) feed.use(inputsOf(name));
    },
    watch: onChange => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
  };
}
