import type { JsonObject } from '../json/json-object.ts';
import { desiredProblem } from '../schema/desired.ts';
import type { ManifestInput } from '../schema/schema.ts';
import { readDeployment } from './document.ts';
import { remarkHub, routesOf, storeOf } from './hub.ts';
import { withoutLongNumbers } from './long-numbers.ts';
import { modulesOf } from './modules.ts';
import type { AddRemark, Remark } from './remark.ts';
import { shown } from './remark.ts';
import { remarkAgent } from './system.ts';
import type { WrittenModules } from './written-module.ts';

/** Result of the import of an Azure IoT Edge deployment. */
export type Imported = {
  readonly manifest: ManifestInput;
  /** Remarks about settings that the user must complete, in the order of the deployment. */
  readonly remarks: readonly Remark[];
};

/** Path of the JSON Schema that editors use. The command "skerry schema" writes this file. */
const SCHEMA = './skerry.schema.json';

/** Placeholder for the name of the device. */
const NAME = 'edge';

/**
 * Placeholder for the address of the upstream. A host with this name never exists (RFC 2606). Messages
 * therefore wait in the queue until the user sets an address.
 */
const UPSTREAM = 'mqtt://upstream.invalid:1883';

/** Pattern of the supported schema versions of a deployment. */
const VERSION = /^1\.[0-9]+(\.[0-9]+)?$/;

/**
 * Converts a deployment of Azure IoT Edge to a manifest, with a remark for each setting without an
 * equivalent. Supports schema versions 1.0 to 1.3, and complete and layered deployments.
 * @throws Failure `import.foreign` if the text is not a deployment
 */
export function importDeployment(text: string, file: string): Imported {
  const remarks: Remark[] = [];
  const remark: AddRemark = (path, sentence) => remarks.push({ path, sentence });
  remark(
    'name',
    `${shown(NAME)} is a placeholder, because the deployment does not contain the device's name: set the name`,
  );
  const { agent, hub, twins } = readDeployment(text, file, remark);
  for (const [twin, { schemaVersion }] of [
    ['$edgeAgent', agent],
    ['$edgeHub', hub],
  ] as const) {
    if (schemaVersion !== undefined && !(typeof schemaVersion === 'string' && VERSION.test(schemaVersion)))
      remark(
        `${twin}.schemaVersion`,
        `${shown(schemaVersion)} is not a known version: the deployment is read as version 1.1`,
      );
  }
  remarkAgent(agent, remark);
  const modules = withTwins(modulesOf(agent, remark), twins, remark);
  const routes = routesOf(hub, remark);
  const storeAndForward = storeOf(hub, remark);
  const store = Object.keys(storeAndForward).length === 0 ? {} : { storeAndForward };
  remarkHub(hub, remark);
  const upstream = usesUpstream(routes) ? { upstream: { url: UPSTREAM } } : {};
  if (usesUpstream(routes))
    remark(
      'upstream.url',
      `${shown(UPSTREAM)} is a placeholder for the broker of routes INTO $upstream: set its address; messages are queued until then`,
    );
  return {
    manifest: { $schema: SCHEMA, name: NAME, dialect: 'azure', modules, routes, ...store, ...upstream },
    remarks,
  };
}

/** Adds the desired properties to the modules. */
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
        `is left out, because this deployment does not define the module: set modules.${name}.desired in the manifest that does`,
      );
    else if (problem !== undefined) remark(path, `is left out: it ${problem}`);
    else if (Object.keys(desired).length > 0) all[name] = { ...module, desired };
  }
  return all;
}

/**
 * Returns true if the text of any route contains `$upstream`. If the text is not a sink, the manifest only
 * gets an unused upstream.
 */
function usesUpstream(routes: NonNullable<ManifestInput['routes']>): boolean {
  return Object.values(routes).some(route =>
    /\$upstream/i.test(typeof route === 'string' ? route : route.route),
  );
}
