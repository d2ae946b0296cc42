import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import type { ManifestInput } from '../schema/schema.ts';
import { containerOf } from './container.ts';
import { createOptionsOf } from './create-options.ts';
import { isNothing, objectAt, ownOf } from './document.ts';
import { environmentOf } from './environment.ts';
import { isName, NAME_RULE } from './names.ts';
import { shown, type Tell } from './remark.ts';

export type WrittenModules = NonNullable<ManifestInput['modules']>;
export type WrittenModule = WrittenModules[string];

const PATH = '$edgeAgent.modules';

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

const RESTARTS: Readonly<Record<string, NonNullable<WrittenModule['restart']>>> = {
  always: 'always',
  never: 'never',
  'on-failure': 'on-failure',
  onfailure: 'on-failure',
  'on-unhealthy': 'on-unhealthy',
  onunhealthy: 'on-unhealthy',
};

/** Where a program stands that takes the place of a container. */
export function placeholderOf(module: string): string {
  return `./modules/${module}`;
}

/** The custom modules of a deployment, without their programs, which are in images. */
export function modulesOf(agent: JsonObject, tell: Tell): WrittenModules {
  const entries = Object.entries(objectAt(agent, 'modules', '$edgeAgent', tell));
  const orders = new Map(entries.map(([name, entry]) => [name, orderOf(entry)]));
  const given = Array.from(orders.values()).filter(order => order !== undefined);
  // Without a number a module starts last there, and first here.
  const last = given.length === 0 ? undefined : Math.max(...given) + 1;
  const modules: [string, WrittenModule][] = [];
  for (const [name, entry] of entries) {
    const path = `${PATH}.${name}`;
    if (!isName(name)) tell(path, `is left out, for ${NAME_RULE}: rename it here and in the routes`);
    else if (!isJsonObject(entry)) tell(path, 'is left out: it must be an object');
    else modules.push([name, moduleOf(name, entry, orders.get(name) ?? last, tell)]);
  }
  return Object.fromEntries(modules);
}

function moduleOf(name: string, entry: JsonObject, order: number | undefined, tell: Tell): WrittenModule {
  const path = `${PATH}.${name}`;
  tellLost(name, entry, tell);
  const settings = objectAt(entry, 'settings', path, tell);
  tellImage(name, settings, tell);
  const { env: listed, ...container } = containerOf(createOptionsOf(settings, `${path}.settings`, tell), {
    module: name,
    path: `${path}.settings.createOptions`,
    tell,
  });
  const own = environmentOf(objectAt(entry, 'env', path, tell), `${path}.env`, tell);
  const env = { ...listed, ...own };
  const stopped = isStopped(name, entry, tell);
  return {
    exec: stopped ? ['true'] : [placeholderOf(name)],
    restart: stopped ? 'never' : restartOf(name, entry, tell),
    ...(order === undefined ? {} : { startupOrder: order }),
    ...(isNothing(env) ? {} : { env }),
    ...container,
  };
}

function tellLost(name: string, entry: JsonObject, tell: Tell): void {
  const path = `${PATH}.${name}`;
  const { type = 'docker', imagePullPolicy } = entry;
  if (type !== 'docker')
    tell(`${path}.type`, `${shown(type)} is not known: the module is run as a program, as all are`);
  if (!isNothing(imagePullPolicy))
    tell(
      `${path}.imagePullPolicy`,
      `there is no image to pull: modules.${name}.bundle fetches a program once, by its SHA-256`,
    );
  if (ownOf(entry, 'startupOrder') !== undefined && orderOf(entry) === undefined)
    tell(`${path}.startupOrder`, 'is left out: it must be a whole number of 0 to 4294967295');
  for (const [key, value] of Object.entries(entry)) {
    if (!KNOWN.includes(key) && !isNothing(value))
      tell(`${path}.${key}`, 'is no field that this import knows');
  }
}

function tellImage(name: string, settings: JsonObject, tell: Tell): void {
  for (const [key, value] of Object.entries(settings)) {
    if (key.startsWith('createOptions')) continue;
    const path = `${PATH}.${name}.settings.${key}`;
    if (key !== 'image') tell(path, 'is no field that this import knows');
    else
      tell(
        path,
        `${shown(value)} is a container: put its program at ${placeholderOf(name)}, or into a bundle, and say it in modules.${name}.exec`,
      );
  }
}

function isStopped(name: string, entry: JsonObject, tell: Tell): boolean {
  const status = ownOf(entry, 'status');
  const path = `${PATH}.${name}.status`;
  if (status === undefined || status === null || status === 'running') return false;
  if (status !== 'stopped') {
    tell(path, `must be "running" or "stopped", and is ${shown(status)}: the module runs`);
    return false;
  }
  tell(
    path,
    `"stopped" became a program that ends at once: for it to run, say ${shown([placeholderOf(name)])} in modules.${name}.exec and ${shown(ownOf(entry, 'restartPolicy') ?? 'always')} in modules.${name}.restart`,
  );
  return true;
}

function restartOf(name: string, entry: JsonObject, tell: Tell): WrittenModule['restart'] {
  const written = ownOf(entry, 'restartPolicy');
  const path = `${PATH}.${name}.restartPolicy`;
  const policy = typeof written === 'string' ? written.toLowerCase() : '';
  const restart = Object.hasOwn(RESTARTS, policy) ? RESTARTS[policy] : undefined;
  if (restart === 'on-unhealthy')
    tell(path, `"on-unhealthy" wants to know whether it is well: say how in modules.${name}.health`);
  if (restart === undefined && written !== undefined)
    tell(path, `${shown(written)} is not known: it became "always"`);
  return restart ?? 'always';
}

function orderOf(entry: unknown): number | undefined {
  const order = isJsonObject(entry) ? ownOf(entry, 'startupOrder') : undefined;
  const fits = typeof order === 'number' && Number.isInteger(order) && order >= 0 && order < 2 ** 32;
  return fits ? order : undefined;
}
