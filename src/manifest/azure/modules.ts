import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { containerOf } from './container.ts';
import { createOptionsOf } from './create-options.ts';
import { isEmpty, objectAt, ownOf } from './document.ts';
import { environmentOf } from './environment.ts';
import { isName, NAME_RULE } from './names.ts';
import { type AddRemark, shown } from './remark.ts';
import type { WrittenModule, WrittenModules } from './written-module.ts';

const PATH = '$edgeAgent.modules';

/** Fields of a module that the import converts or explains in a remark. */
const KNOWN = [
  'version',
  'type',
  'status',
  'restartPolicy',
  'startupOrder',
  'imagePullPolicy',
  'env',
  'settings',
];

/** Restart policy in the manifest for each restart policy of Azure IoT Edge (in lower case). */
const RESTARTS: Readonly<Record<string, NonNullable<WrittenModule['restart']>>> = {
  always: 'always',
  never: 'never',
  'on-failure': 'on-failure',
  onfailure: 'on-failure',
  'on-unhealthy': 'on-unhealthy',
  onunhealthy: 'on-unhealthy',
};

/** Returns the path of the program that replaces the container of a module. */
export function placeholderOf(module: string): string {
  return `./modules/${module}`;
}

/** Converts the modules of a deployment. Does not convert the programs, which are in container images. */
export function modulesOf(agent: JsonObject, remark: AddRemark): WrittenModules {
  const entries = Object.entries(objectAt(agent, 'modules', '$edgeAgent', remark));
  const orders = new Map(entries.map(([name, entry]) => [name, orderOf(entry)]));
  const definedOrders = Array.from(orders.values()).filter(order => order !== undefined);
  // In Azure IoT Edge a module without startupOrder starts last, and in Skerry first. The import therefore
  // sets an order for such a module.
  const last = definedOrders.length === 0 ? undefined : Math.max(...definedOrders) + 1;
  const modules: [string, WrittenModule][] = [];
  for (const [name, entry] of entries) {
    const path = `${PATH}.${name}`;
    if (!isName(name))
      remark(path, `is left out, because ${NAME_RULE}: rename the module here and in the routes`);
    else if (!isJsonObject(entry)) remark(path, 'is left out: it must be an object');
    else modules.push([name, moduleOf(name, entry, orders.get(name) ?? last, remark)]);
  }
  return Object.fromEntries(modules);
}

function moduleOf(
  name: string,
  entry: JsonObject,
  order: number | undefined,
  remark: AddRemark,
): WrittenModule {
  const path = `${PATH}.${name}`;
  remarkFields(name, entry, remark);
  const settings = objectAt(entry, 'settings', path, remark);
  remarkImage(name, settings, remark);
  const { env: containerEnv, ...container } = containerOf(
    createOptionsOf(settings, `${path}.settings`, remark),
    {
      module: name,
      path: `${path}.settings.createOptions`,
      remark,
    },
  );
  const moduleEnv = environmentOf(objectAt(entry, 'env', path, remark), `${path}.env`, remark);
  const env = { ...containerEnv, ...moduleEnv };
  const stopped = isStopped(name, entry, remark);
  return {
    exec: stopped ? ['true'] : [placeholderOf(name)],
    restart: stopped ? 'never' : restartOf(name, entry, remark),
    ...(order === undefined ? {} : { startupOrder: order }),
    ...(isEmpty(env) ? {} : { env }),
    ...container,
  };
}

function remarkFields(name: string, entry: JsonObject, remark: AddRemark): void {
  const path = `${PATH}.${name}`;
  const { type = 'docker', imagePullPolicy } = entry;
  if (type !== 'docker')
    remark(`${path}.type`, `${shown(type)} is not a known type: the module runs as a native process`);
  if (!isEmpty(imagePullPolicy))
    remark(
      `${path}.imagePullPolicy`,
      `there is no image to pull: modules.${name}.bundle downloads a program once, and verifies its SHA-256`,
    );
  if (ownOf(entry, 'startupOrder') !== undefined && orderOf(entry) === undefined)
    remark(`${path}.startupOrder`, 'is left out: it must be an integer from 0 to 4294967295');
  for (const [key, value] of Object.entries(entry)) {
    if (!KNOWN.includes(key) && !isEmpty(value)) remark(`${path}.${key}`, 'is an unknown field');
  }
}

function remarkImage(name: string, settings: JsonObject, remark: AddRemark): void {
  for (const [key, value] of Object.entries(settings)) {
    if (key.startsWith('createOptions')) continue;
    const path = `${PATH}.${name}.settings.${key}`;
    if (key !== 'image') remark(path, 'is an unknown field');
    else
      remark(
        path,
        `${shown(value)} is a container image: copy its program to ${placeholderOf(name)} or into a bundle, and set modules.${name}.exec`,
      );
  }
}

function isStopped(name: string, entry: JsonObject, remark: AddRemark): boolean {
  const status = ownOf(entry, 'status');
  const path = `${PATH}.${name}.status`;
  if (status === undefined || status === null || status === 'running') return false;
  if (status !== 'stopped') {
    remark(path, `must be "running" or "stopped", but is ${shown(status)}: the module runs`);
    return false;
  }
  remark(
    path,
    `"stopped" is replaced by a program that exits at once: to run the module, set modules.${name}.exec to ${shown([placeholderOf(name)])} and modules.${name}.restart to ${shown(ownOf(entry, 'restartPolicy') ?? 'always')}`,
  );
  return true;
}

function restartOf(name: string, entry: JsonObject, remark: AddRemark): WrittenModule['restart'] {
  const written = ownOf(entry, 'restartPolicy');
  const path = `${PATH}.${name}.restartPolicy`;
  const policy = typeof written === 'string' ? written.toLowerCase() : '';
  const restart = Object.hasOwn(RESTARTS, policy) ? RESTARTS[policy] : undefined;
  if (restart === 'on-unhealthy')
    remark(path, `"on-unhealthy" requires a health check: configure it in modules.${name}.health`);
  if (restart === undefined && written !== undefined)
    remark(path, `${shown(written)} is not a known policy: "always" is used`);
  return restart ?? 'always';
}

function orderOf(entry: unknown): number | undefined {
  const order = isJsonObject(entry) ? ownOf(entry, 'startupOrder') : undefined;
  const isValid = typeof order === 'number' && Number.isInteger(order) && order >= 0 && order < 2 ** 32;
  return isValid ? order : undefined;
}
