import { chmodSync, existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import type { HealthEntry, Manifest, ModuleEntry } from '../manifest/types.ts';
import type { Store } from '../queue/types.ts';
import type { HealthSpec, ModuleSpec, Supervisor } from '../supervisor/spec.ts';
import { createSupervisor } from '../supervisor/supervisor.ts';
import type { Feed } from './feed.ts';
import { createFeed } from './feed.ts';
import type { Identities } from './identities.ts';
import { ackOfLine, messageOfLine } from './lines.ts';
import { inputQueue } from './names.ts';
import type { Input } from './plan.ts';
import type { Router } from './router.ts';

const SECOND = 1000;

export type ModulesSettings = {
  readonly manifest: Manifest;
  readonly home: string;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly logSink: LogSink;
  readonly store: Store;
  readonly router: Router;
  readonly inputs: readonly Input[];
  readonly identities: Identities;
  /** Where modules find the broker; undefined: it listens nowhere. */
  readonly brokerUrl: string | undefined;
};

export type Modules = Supervisor & { readonly startAll: () => Promise<void> };

/** Ties the supervisor to the flow of messages: lines out are routed, what waits for inputs is fed in as lines. */
export function createModules(settings: ModulesSettings): Modules {
  const { manifest, clock, logSink, router } = settings;
  const dataFolder = withoutLinks(settings.dataFolder);
  const log = logFor('supervisor', logSink);
  const feeds = new Map<string, Feed>();
  const acking = new Set(manifest.modules.filter(({ ack }) => ack).map(({ name }) => name));
  const supervisor = createSupervisor({
    clock,
    log,
    logFolder: join(dataFolder, 'logs'),
    runFolder: join(dataFolder, 'run'),
    ownFolders: join(dataFolder, 'modules'),
    hiddenFolder: dataFolder,
    host: {
      line: (module, line, settle) => {
        const id = acking.has(module) ? ackOfLine(line) : undefined;
        if (id === undefined) {
          router.route(messageOfLine(module, line), settle);
          return;
        }
        feeds.get(module)?.done(id);
        settle();
      },
      changed: ({ name, state }) => {
        if (state !== 'running' && state !== 'ready') feeds.get(name)?.stop();
      },
      writable: module => feeds.get(module)?.writable(),
    },
  });
  for (const module of manifest.modules) {
    if (module.io === 'lines') feeds.set(module.name, feedOf(module, supervisor, settings));
  }
  // A user of its own must get to its folder; all else in here is for the hub alone.
  if (manifest.modules.some(({ user, sandbox }) => user !== undefined || sandbox !== 'none'))
    chmodSync(dataFolder, 0o711);
  const startAll = () => supervisor.start(manifest.modules.map(module => specOf(module, settings)));
  return { ...supervisor, startAll };
}

function feedOf(
  { name, ack }: ModuleEntry,
  supervisor: Supervisor,
  { inputs, store, logSink }: ModulesSettings,
): Feed {
  const own = inputs.filter(input => input.module === name);
  return createFeed({
    module: name,
    inputs: own.map(({ input }) => ({
      input,
      drain: settings => store.drain(inputQueue(name, input), settings),
    })),
    ack,
    write: (line, written) => supervisor.write(name, line, written),
    log: logFor('hub', logSink),
  });
}

function specOf(module: ModuleEntry, { home, brokerUrl, identities }: ModulesSettings): ModuleSpec {
  const { name, io } = module;
  const talk: Record<string, string> = { SKERRY_MODULE: name };
  if (io === 'mqtt' && brokerUrl !== undefined) {
    talk['SKERRY_MQTT_URL'] = brokerUrl;
    talk['SKERRY_TOKEN'] = identities.tokenOf(name);
  }
  const { backoff, health } = module;
  return {
    ...module,
    cwd: withoutLinks(home),
    env: { ...module.env, ...talk },
    stopGrace: module.stopGraceSeconds * SECOND,
    backoff: {
      first: backoff.firstSeconds * SECOND,
      factor: backoff.factor,
      most: backoff.mostSeconds * SECOND,
      forgivenAfter: backoff.resetSeconds * SECOND,
    },
    health: health && healthOf(health),
  };
}

/** A sandbox hides and shows folders where they are, whatever links lead there. */
function withoutLinks(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : folder;
}

function healthOf({ exec, tcp, ...times }: HealthEntry): HealthSpec {
  const check =
    exec !== undefined
      ? ({ kind: 'exec', exec } as const)
      : tcp !== undefined
        ? ({ kind: 'tcp', port: tcp } as const)
        : ({ kind: 'reported' } as const);
  return {
    check,
    every: times.everySeconds * SECOND,
    timeout: times.timeoutSeconds * SECOND,
    threshold: times.threshold,
    readyWithin: times.readySeconds * SECOND,
  };
}
