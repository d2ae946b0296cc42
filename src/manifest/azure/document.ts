import { Failure, reasonOf } from '../../core/errors.ts';
import { MAX_DEPLOYMENT_BYTES, MAX_DEPLOYMENT_NESTING } from '../../core/limits.ts';
import { isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import { parseExactly } from './long-numbers.ts';
import type { Tell } from './remark.ts';

/** What a deployment sets, by module. */
export type Deployment = {
  readonly agent: JsonObject;
  readonly hub: JsonObject;
  /** Desired properties of the other modules. */
  readonly twins: ReadonlyMap<string, JsonObject>;
};

const AGENT = '$edgeAgent';
const HUB = '$edgeHub';
const DESIRED = 'properties.desired';

/** Fields beside the modules, with what becomes of them. */
const AROUND: Readonly<Record<string, string>> = {
  targetCondition: 'Skerry has no fleet that it picks from: apply the manifest to each device that it is for',
  priority: 'a device has one manifest, and none that comes before another: nothing to do',
  labels: 'a manifest has no labels: nothing to do',
  metrics: 'nobody asks devices from a cloud: "skerry ps" and the topics under $SYS tell how it is',
  deviceContent: 'the device itself has no twin: give what modules need of it to modules.<module>.desired',
  '$schema-template':
    'this is a template, and what stands in it as a variable is taken as it stands: import the deployment that is made of it',
};

/**
 * The parts of a deployment's text; `file` is what errors call it.
 * @throws Failure `import.foreign`: it is none
 */
export function readDeployment(text: string, file: string, tell: Tell): Deployment {
  if (Buffer.byteLength(text) > MAX_DEPLOYMENT_BYTES) throw foreign(file, 'it is larger than 4 MB');
  const root = parsed(text, file);
  const modules = modulesContentOf(root);
  if (modules === undefined) {
    throw foreign(file, 'it has no "modulesContent" with "$edgeAgent" and "$edgeHub"');
  }
  tellAround(root, tell);
  if (isLayered(modules)) {
    tell(
      'modulesContent',
      'this is a layered deployment: import the one that it lies on too, and put its modules and routes into the same manifest',
    );
  }
  const twins = new Map<string, JsonObject>();
  for (const [name, entry] of Object.entries(modules)) {
    if (!isJsonObject(entry)) throw foreign(file, `${name} must be an object`);
    twins.set(name, twinOf(name, entry, file, tell));
  }
  const agent = twins.get(AGENT) ?? {};
  const hub = twins.get(HUB) ?? {};
  twins.delete(AGENT);
  twins.delete(HUB);
  return { agent, hub, twins };
}

/** A field of an object that a person wrote; undefined: it has none of its own. */
export function ownOf(object: JsonObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/** A field that must be an object if it is there. */
export function objectAt(object: JsonObject, field: string, path: string, tell: Tell): JsonObject {
  const value = ownOf(object, field);
  if (isJsonObject(value)) return value;
  if (value !== undefined && value !== null) tell(`${path}.${field}`, 'is left out: it must be an object');
  return {};
}

/** Whether a field says nothing. */
export function isNothing(value: unknown): boolean {
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
    throw foreign(file, `it has more than ${MAX_DEPLOYMENT_NESTING} objects and lists within each other`);
  }
  return parseExactly(plain);
}

function tellAround(root: JsonObject, tell: Tell): void {
  const content = ownOf(root, 'content');
  const outers = [root, isJsonObject(content) ? content : {}];
  for (const [field, sentence] of Object.entries(AROUND)) {
    if (outers.some(outer => !isNothing(ownOf(outer, field)))) tell(field, sentence);
  }
}

/** As `az iot edge` takes it, as IoT Hub gives it back, as it was called before 2018, or without anything around. */
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

/** It adds to what another deployment sets: nothing in it says how the whole is run. */
function isLayered(modules: JsonObject): boolean {
  const agent = ownOf(modules, AGENT);
  return !(isJsonObject(agent) && [DESIRED, 'desired', 'properties'].some(key => Object.hasOwn(agent, key)));
}

/** The desired properties of one module: as a whole, and what is set at paths within them. */
function twinOf(name: string, entry: JsonObject, file: string, tell: Tell): JsonObject {
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
    else tell(`${name}.${key}`, 'is not carried over: it is no part of desired properties');
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

/** A field of any name, `__proto__` too. */
function put(target: JsonObject, field: string, value: unknown): void {
  Object.defineProperty(target, field, { value, configurable: true, enumerable: true, writable: true });
}

/** JSON.parse may show a piece of the text, and that may be of a password. */
function withoutText(reason: string): string {
  return reason.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');
}
