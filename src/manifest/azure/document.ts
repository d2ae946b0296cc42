import { Failure, reasonOf } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import { MAX_DEPLOYMENT_BYTES, MAX_DEPLOYMENT_NESTING } from '../limits.ts';
import { parseExactly } from './long-numbers.ts';
import type { AddRemark } from './remark.ts';

/** Parts of an Azure deployment. */
export type AzureDeployment = {
  readonly agent: JsonObject;
  readonly hub: JsonObject;
  /** Desired properties of the custom modules. */
  readonly twins: ReadonlyMap<string, JsonObject>;
};

const AGENT = '$edgeAgent';
const HUB = '$edgeHub';
const DESIRED = 'properties.desired';

/** Remarks for fields next to the modules. */
const AROUND: Readonly<Record<string, string>> = {
  targetCondition: 'Skerry has no fleet that it picks from: apply the manifest to each device that it is for',
  priority: 'a device has one manifest, and none that comes before another: nothing to do',
  labels: 'a manifest has no labels: nothing to do',
  metrics: 'no cloud queries devices: "skerry ps" and the topics under $SYS show its state',
  deviceContent: 'the device itself has no twin: give what modules need of it to modules.<module>.desired',
  '$schema-template':
    'this is a template, and what stands in it as a variable is taken as it stands: import the deployment that is made of it',
};

/**
 * Parses the text of a deployment. `file` is its name in error messages.
 * @throws Failure `import.foreign` if it is not a deployment
 */
export function readDeployment(text: string, file: string, remark: AddRemark): AzureDeployment {
  if (Buffer.byteLength(text) > MAX_DEPLOYMENT_BYTES) throw foreign(file, 'it is larger than 4 MB');
  const root = parsed(text, file);
  const modules = modulesContentOf(root);
  if (modules === undefined) {
    throw foreign(file, 'it has no "modulesContent" with "$edgeAgent" and "$edgeHub"');
  }
  remarkAround(root, remark);
  if (isLayered(modules)) {
    remark(
      'modulesContent',
      'this is a layered deployment: import the one that it lies on too, and put its modules and routes into the same manifest',
    );
  }
  const twins = new Map<string, JsonObject>();
  for (const [name, entry] of Object.entries(modules)) {
    if (!isJsonObject(entry)) throw foreign(file, `${name} must be an object`);
    twins.set(name, twinOf(name, entry, file, remark));
  }
  const agent = twins.get(AGENT) ?? {};
  const hub = twins.get(HUB) ?? {};
  twins.delete(AGENT);
  twins.delete(HUB);
  return { agent, hub, twins };
}

/** Own field of an object, or undefined. */
export function ownOf(object: JsonObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/** Field that must be an object if present. Adds a remark otherwise. */
export function objectAt(object: JsonObject, field: string, path: string, remark: AddRemark): JsonObject {
  const value = ownOf(object, field);
  if (isJsonObject(value)) return value;
  if (value !== undefined && value !== null) remark(`${path}.${field}`, 'is left out: it must be an object');
  return {};
}

/** Tells if a field is empty. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

export function foreign(file: string, reason: string): Failure {
  return new Failure('import.foreign', `The file ${file} is no deployment of Azure IoT Edge: ${reason}.`);
}

function parsed(text: string, file: string): JsonObject {
  const plain = text.replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(plain);
  } catch (thrown) {
    throw foreign(file, `it is not JSON: ${withoutText(reasonOf(thrown))}`);
  }
  if (!isJsonObject(value)) throw foreign(file, 'it is not an object');
  if (!nestsWithin(value, MAX_DEPLOYMENT_NESTING)) {
    throw foreign(file, `it has more than ${MAX_DEPLOYMENT_NESTING} levels of nested objects and arrays`);
  }
  return parseExactly(plain);
}

function remarkAround(root: JsonObject, remark: AddRemark): void {
  const content = ownOf(root, 'content');
  const outers = [root, isJsonObject(content) ? content : {}];
  for (const [field, sentence] of Object.entries(AROUND)) {
    if (outers.some(outer => !isEmpty(ownOf(outer, field)))) remark(field, sentence);
  }
}

/**
 * Finds the modules: as `az iot edge` accepts them, as IoT Hub exports them, under the name used before 2018,
 * or at top level.
 */
function modulesContentOf(root: JsonObject): JsonObject | undefined {
  const content = ownOf(root, 'content');
  for (const outer of [root, content]) {
    if (!isJsonObject(outer)) continue;
    const modules = ownOf(outer, 'modulesContent');
    if (isJsonObject(modules)) return modules;
    for (const inner of [ownOf(outer, 'moduleContent'), outer]) {
      if (isJsonObject(inner) && (Object.hasOwn(inner, AGENT) || Object.hasOwn(inner, HUB))) return inner;
    }
  }
  return undefined;
}

/** Tells if the deployment is layered: it extends another one and does not configure the agent. */
function isLayered(modules: JsonObject): boolean {
  const agent = ownOf(modules, AGENT);
  return !(isJsonObject(agent) && [DESIRED, 'desired', 'properties'].some(key => Object.hasOwn(agent, key)));
}

/** Desired properties of one module: as a whole, and set at paths within them. */
function twinOf(name: string, entry: JsonObject, file: string, remark: AddRemark): JsonObject {
  const desired: JsonObject = {};
  for (const [key, value] of Object.entries(entry)) {
    const whole = key === 'properties' && isJsonObject(value) ? ownOf(value, 'desired') : value;
    if ([DESIRED, 'desired', 'properties'].includes(key)) {
      if (!isJsonObject(whole)) throw foreign(file, `${name}.${key} must be an object`);
      for (const [field, inner] of Object.entries(whole)) put(desired, field, inner);
      continue;
    }
    const steps = key.split('.').slice(2);
    if (key.startsWith(`${DESIRED}.`) && steps.length <= MAX_DEPLOYMENT_NESTING) place(desired, steps, value);
    else remark(`${name}.${key}`, 'is not converted: it is no part of desired properties');
  }
  return desired;
}

function place(target: JsonObject, [step = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    put(target, step, value);
    return;
  }
  const there = ownOf(target, step);
  const inner = isJsonObject(there) ? there : {};
  put(target, step, inner);
  place(inner, rest, value);
}

/** Sets a field with any name, including `__proto__`. */
function put(target: JsonObject, field: string, value: unknown): void {
  Object.defineProperty(target, field, { value, configurable: true, enumerable: true, writable: true });
}

/** Removes the quoted text from an error of JSON.parse, because it may contain a password. */
function withoutText(reason: string): string {
  return reason.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');
}
