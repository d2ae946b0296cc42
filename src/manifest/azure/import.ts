import type { JsonObject } from '../json/json-object.ts';
import { desiredProblem } from '../schema/desired.ts';
import type { ManifestInput } from '../schema/schema.ts';
import { readDeployment } from './document.ts';
import { remarkHub, routesOf, storeOf } from './hub.ts';
import { withoutLongNumbers } from './long-numbers.ts';
import { modulesOf, type WrittenModules } from './modules.ts';
import type { AddRemark, Remark } from './remark.ts';
import { shown } from './remark.ts';
import { remarkAgent } from './system.ts';

export type Imported = {
  readonly manifest: ManifestInput;
  /** Remaining work, in the order of the deployment. */
  readonly remarks: readonly Remark[];
};

/** Path where "skerry schema" should write the schema for editors. */
const SCHEMA = './skerry.schema.json';

/** Placeholder for the device name. */
const NAME = 'edge';

/** Placeholder for the upstream. The host never exists (RFC 2606), so messages for it are kept. */
const UPSTREAM = 'mqtt://upstream.invalid:1883';

const VERSION = /^1\.[0-9]+(\.[0-9]+)?$/;

/**
 * Converts a deployment of Azure IoT Edge to a manifest, with a remark for everything that has no equivalent.
 * Supports schema versions 1.0 to 1.3, complete or layered.
 * @throws Failure `import.foreign` if it is not a deployment
 */
export function importDeployment(text: string, file: string): Imported {
  const remarks: Remark[] = [];
  const remark: AddRemark = (path, sentence) => remarks.push({ path, sentence });
  remark('name', `${shown(NAME)} stands for the device's name, which is not part of the deployment: set it`);
  const { agent, hub, twins } = readDeployment(text, file, remark);
  for (const [twin, { schemaVersion }] of [
    ['$edgeAgent', agent],
    ['$edgeHub', hub],
  ] as const) {
    if (schemaVersion !== undefined && !(typeof schemaVersion === 'string' && VERSION.test(schemaVersion)))
      remark(`${twin}.schemaVersion`, `${shown(schemaVersion)} is not known, and was read as 1.1`);
  }
  remarkAgent(agent, remark);
  const modules = withTwins(modulesOf(agent, remark), twins, remark);
  const routes = routesOf(hub, remark);
  const storeAndForward = storeOf(hub, remark);
  const store = Object.keys(storeAndForward).length === 0 ? {} : { storeAndForward };
  remarkHub(hub, remark);
  const upstream = goesUp(routes) ? { upstream: { url: UPSTREAM } } : {};
  if (goesUp(routes))
    remark(
      'upstream.url',
      `${shown(UPSTREAM)} stands for the broker that routes INTO $upstream go to: say it; until then they are kept for it`,
    );
  return {
    manifest: { $schema: SCHEMA, name: NAME, dialect: 'azure', modules, routes, ...store, ...upstream },
    remarks,
  };
}

function withTwins(
  modules: WrittenModules,
  twins: ReadonlyMap<string, JsonObject>,
  remark: AddRemark,
): WrittenModules {
  const all = { ...modules };
  for (const [name, written] of twins) {
    const module = Object.hasOwn(modules, name) ? modules[name] : undefined;
    const path = `${name}.properties.desired`;
    const desired = module === undefined ? written : withoutLongNumbers(written, path, remark);
    const problem = desiredProblem(desired);
    if (module === undefined)
      remark(
        path,
        `is left out, because $edgeAgent.modules has no such module here: say it in modules.${name}.desired of the manifest that has it`,
      );
    else if (problem !== undefined) remark(path, `is left out: it ${problem}`);
    else if (Object.keys(desired).length > 0) all[name] = { ...module, desired };
  }
  return all;
}

/** Tells if any route may lead to the upstream. False positives are harmless. */
function goesUp(routes: NonNullable<ManifestInput['routes']>): boolean {
  return Object.values(routes).some(route =>
    /\$upstream/i.test(typeof route === 'string' ? route : route.route),
  );
}
