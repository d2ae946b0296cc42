import { existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../../core/errors.ts';
import type { HealthEntry, ModuleEntry } from '../../manifest/types.ts';
import type { HealthSpec, ModuleSpec } from '../../supervisor/spec.ts';

const SECOND = 1000;

/** Functions of the hub that are needed to start a module. */
export type SpecHost = {
  /** Returns the broker's URL for modules. Undefined if there are no listeners. */
  readonly brokerUrl: () => string | undefined;
  /** Opens the Unix socket of a module without a network, and returns its path. */
  readonly socketOf: (module: string) => Promise<string>;
  /** Returns the secret with which a module authenticates to the broker. */
  readonly tokenOf: (module: string) => string;
  /** Returns the folder of the bundle (program archive) with this SHA-256 hash. */
  readonly bundleFolder: (sha256: string) => string;
  /**
   * Decrypts a sealed secret. `field` is the name of the secret in error messages. Throws Failure
   * `secret.unopened`. Throws a Failure `key.*` if the device's key cannot be read.
   */
  readonly openSecret: (sealed: string, field: string) => Promise<Buffer>;
};

/**
 * Environment variable for modules with `io: lines`. Without this variable, Python buffers 8 KB of output
 * before it writes to a pipe.
 */
const UNBUFFERED = { PYTHONUNBUFFERED: '1' };

/**
 * Converts a module of the manifest to the supervisor's specification. Relative paths are resolved against
 * `home`.
 */
export async function specOf(module: ModuleEntry, home: string, host: SpecHost): Promise<ModuleSpec> {
  const { name, io, backoff, health } = module;
  const talk: Record<string, string> = { SKERRY_MODULE: name };
  const socket = io === 'mqtt' && module.network === 'none' ? await host.socketOf(name) : undefined;
  const brokerUrl = socket === undefined ? host.brokerUrl() : `unix:${withoutLinks(socket)}`;
  if (io === 'mqtt' && brokerUrl !== undefined) {
    talk['SKERRY_MQTT_URL'] = brokerUrl;
    talk['SKERRY_TOKEN'] = host.tokenOf(name);
  }
  if (module.desired !== undefined) talk['SKERRY_DESIRED'] = JSON.stringify(module.desired);
  const programFolder = module.bundle && withoutLinks(host.bundleFolder(module.bundle.sha256));
  const secrets = await openedSecrets(module, host);
  const variables = secrets.filter(({ as }) => as === 'variable');
  return {
    ...module,
    cwd: programFolder ?? withoutLinks(home),
    programFolder,
    socketFolder: socket && dirname(withoutLinks(socket)),
    env: {
      ...(io === 'lines' ? UNBUFFERED : {}),
      ...module.env,
      ...talk,
      ...Object.fromEntries(variables.map(({ variable, content }) => [variable, content.toString('utf8')])),
    },
    secretFiles: secrets.filter(({ as }) => as === 'file'),
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

/** Returns the path of a folder without symbolic links. A sandbox mounts folders at these paths. */
export function withoutLinks(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : folder;
}

function openedSecrets({ name, secrets }: ModuleEntry, { openSecret }: SpecHost) {
  return Promise.all(
    secrets.map(async ({ name: variable, sealed, as }) => {
      const field = `modules.${name}.secrets.${variable}`;
      const content = await openSecret(sealed, field);
      if (as === 'variable' && content.includes(0))
        throw new Failure(
          'secret.unopened',
          `${field} contains a NUL, which an environment variable cannot: set "as": "file".`,
        );
      return { variable, as, content };
    }),
  );
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
