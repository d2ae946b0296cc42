import type { JsonObject } from '../json/json-object.ts';
import { desiredProblem } from '../schema/desired.ts';
import type { ManifestInput } from '../schema/schema.ts';
import { readDeployment } from './document.ts';
import { routesOf, storeOf, tellHub } from './hub.ts';
import { withoutLongNumbers } from './long-numbers.ts';
import { modulesOf, type WrittenModules } from './modules.ts';
import type { Remark, Tell } from './remark.ts';
import { shown } from './remark.ts';
import { tellAgent } from './system.ts';

export type Imported = {
  readonly manifest: ManifestInput;
  /** All that is left to do, in the order of the deployment. */
  readonly remarks: readonly Remark[];
};

/** Where "skerry schema" is to write it, for editors. */
const SCHEMA = './skerry.schema.json';

/** Stands for the device's name. */
const NAME = 'edge';

/** Stands for the upstream: no machine is ever called so (RFC 2606), and what is for it waits. */
const UPSTREAM = 'mqtt://upstream.invalid:1883';

const VERSION = /^1\.[0-9]+(\.[0-9]+)?$/;

/**
 * Turns the text of a deployment of Azure IoT Edge into a manifest that the hub takes, and tells what could not be carried
 * over. Schema versions 1.0 to 1.3, whole or layered.
 * @throws Failure `import.foreign`: it is none
 */
export function importDeployment(text: string, file: string): Imported {
  const remarks: Remark[] = [];
  const tell: Tell = (path, sentence) => remarks.push({ path, sentence });
  tell('name', `${shown(NAME)} stands for the device's name, which Azure keeps elsewhere: say it`);
  const { agent, hub, twins } = readDeployment(text, file, tell);
  for (const [twin, { schemaVersion }] of [
    ['$edgeAgent', agent],
    ['$edgeHub', hub],
  ] as const) {
    if (schemaVersion !== undefined && !(typeof schemaVersion === 'string' && VERSION.test(schemaVersion)))
      tell(`${twin}.schemaVersion`, `${shown(schemaVersion)} is not known, and was read as 1.1`);
  }
  tellAgent(agent, tell);
  const modules = withTwins(modulesOf(agent, tell), twins, tell);
  const routes = routesOf(hub, tell);
  const storeAndForward = storeOf(hub, tell);
  const store = Object.keys(storeAndForward).length === 0 ? {} : { storeAndForward };
  tellHub(hub, tell);
  const upstream = goesUp(routes) ? { upstream: { url: UPSTREAM } } : {};
  if (goesUp(routes))
    tell(
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
  tell: Tell,
): WrittenModules {
  const all = { ...modules };
  for (const [name, written] of twins) {
    const module = Object.hasOwn(modules, name) ? modules[name] : undefined;
    const path = `${name}.properties.desired`;
    const desired = module === undefined ? written : withoutLongNumbers(written, path, tell);
    const problem = desiredProblem(desired);
    if (module === undefined)
      tell(
        path,
        `is left out, for $edgeAgent.modules has no such module here: say it in modules.${name}.desired of the manifest that has it`,
      );
    else if (problem !== undefined) tell(path, `is left out: it ${problem}`);
    else if (Object.keys(desired).length > 0) all[name] = { ...module, desired };
  }
  return all;
}

/** Whether a route may go to the upstream; one too many does no harm. */
function goesUp(routes: NonNullable<ManifestInput['routes']>): boolean {
  return Object.values(routes).some(route =>
    /\$upstream/i.test(typeof route === 'string' ? route : route.route),
  );
}
