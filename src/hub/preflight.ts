import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, systemCode } from '../core/errors.ts';
import type { Artifacts } from '../deployment/artifacts.ts';
import type { DeploymentRunnerSettings } from '../deployment/deployment-runner.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { pathsOfUpstream } from '../manifest/file-paths.ts';
import type { ModuleEntry, UpstreamEntry } from '../manifest/types.ts';
import { moduleEnvironment } from '../supervisor/process/environment.ts';
import { findStartError } from '../supervisor/process/start-check.ts';
import { listenerSettings } from './listener-settings.ts';
import { withoutLinks } from './modules/module-spec.ts';

/**
 * Creates the check of a deployment plan. The check throws if a program or file that the plan needs does not
 * exist on this machine. The check skips modules, listeners and upstreams that the plan does not change.
 * Throws Failure `module.exec`, `listener.refused` or `upstream.unreachable`.
 */
export function createPreflight({
  bundleFolder,
}: Pick<Artifacts, 'bundleFolder'>): DeploymentRunnerSettings['preflight'] {
  return async ({ manifest, home }, { modules, upstreams, steps }) => {
    const changed = new Set(modules.flatMap(({ module, change }) => (change === 'keep' ? [] : [module])));
    for (const module of manifest.modules) {
      if (changed.has(module.name))
        checkModule(module, module.bundle ? bundleFolder(module.bundle.sha256) : home);
    }
    if (steps.some(({ kind }) => kind === 'listeners')) await checkListeners({ manifest, home });
    for (const { upstream, change } of upstreams) {
      const entry = manifest.upstreams.find(({ name }) => name === upstream);
      if (entry !== undefined && change !== 'keep') checkUpstream(entry, { manifest, home });
    }
  };
}

function checkModule({ name, exec, health, env }: ModuleEntry, folder: string): void {
  const cwd = withoutLinks(folder);
  for (const [field, command] of Object.entries({ exec, 'health.exec': health?.exec })) {
    const fault = command && findStartError({ exec: command, cwd }, moduleEnvironment(env), undefined);
    if (fault === undefined) continue;
    throw new Failure('module.exec', `modules.${name}.${field} cannot be run: ${fault.reason}`);
  }
}

async function checkListeners({ manifest, home }: Placed): Promise<void> {
  for (const entry of manifest.listeners) {
    const settings = listenerSettings(entry, home);
    if (!('tls' in settings)) continue;
    // This import happens on demand, because the TLS modules of Node take memory.
    const { readCertificates } = await import('../broker/listeners/tls/certificates.ts');
    readCertificates(settings.tls);
  }
}

function checkUpstream(entry: UpstreamEntry, { manifest, home }: Placed): void {
  for (const { field, path } of pathsOfUpstream(manifest, entry)) {
    const file = resolve(home, path);
    try {
      accessSync(file, constants.R_OK);
    } catch (thrown) {
      const code = systemCode(thrown);
      if (code === undefined) throw thrown;
      throw new Failure(
        'upstream.unreachable',
        `${field}, ${file}, cannot be read (${code}): correct the path.`,
      );
    }
  }
}
