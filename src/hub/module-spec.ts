import type { HealthEntry, ModuleEntry } from '../manifest/types.ts';
import type { HealthSpec, ModuleSpec } from '../supervisor/spec.ts';

const SECOND = 1000;

/** What a module needs of the hub to be started. */
export type SpecHost = {
  /** Where modules find the broker; undefined: it listens nowhere. */
  readonly brokerUrl: () => string | undefined;
  /** The secret that a module shows to the broker. */
  readonly tokenOf: (module: string) => string;
  /** Where the bundle with this hash is. */
  readonly bundleFolder: (sha256: string) => string;
  /** Failure `secret.unopened`, and those of `key`; `field` is what they call it. */
  readonly openSecret: (sealed: string, field: string) => Promise<Buffer>;
};

/** A module of the manifest as the supervisor takes it; relative paths start from `home`. */
export async function specOf(module: ModuleEntry, home: string, host: SpecHost): Promise<ModuleSpec> {
  const { name, io, backoff, health } = module;
  const talk: Record<string, string> = { SKERRY_MODULE: name };
  const brokerUrl = host.brokerUrl();
  if (io === 'mqtt' && brokerUrl !== undefined) {
    talk['SKERRY_MQTT_URL'] = brokerUrl;
    talk['SKERRY_TOKEN'] = host.tokenOf(name);
  }
  if (module.desired !== undefined) talk['SKERRY_DESIRED'] = JSON.stringify(module.desired);
  return {
    ...module,
    cwd: module.bundle === undefined ? home : host.bundleFolder(module.bundle.sha256),
    env: { ...module.env, ...talk, ...(await variablesOf(module, host)) },
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

/** Its sealed variables, opened. */
async function variablesOf({ name, secrets }: ModuleEntry, { openSecret }: SpecHost) {
  const opened = secrets
    .filter(({ as }) => as === 'variable')
    .map(async secret => {
      const value = await openSecret(secret.sealed, `modules.${name}.secrets.${secret.name}`);
      return [secret.name, value.toString('utf8')] as const;
    });
  return Object.fromEntries(await Promise.all(opened));
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
