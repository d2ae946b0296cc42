import { Failure, reasonOf } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import { MAX_DEPLOYMENT_BYTES, MAX_DEPLOYMENT_NESTING } from '../limits.ts';
import { parseExactly } from './long-numbers.ts';
import type { AddRemark } from './remark.ts';

/** Azure deployment: desired properties (settings) of the agent, of the hub, and of the other modules. */
export type AzureDeployment = {
  readonly agent: JsonObject;
  readonly hub: JsonObject;
  /** Desired properties of all modules except the agent and the hub, by module. */
  readonly twins: ReadonlyMap<string, JsonObject>;
};

const AGENT = '$edgeAgent';
const HUB = '$edgeHub';
const DESIRED = 'properties.desired';

/** Remarks about fields of the document outside the modules. */
const OUTER_FIELDS: Readonly<Record<string, string>> = {
  targetCondition: 'Skerry does not select devices by a condition: apply the manifest to each device',
  priority: 'a device has only one manifest, so a priority is not needed: nothing to do',
  labels: 'a manifest has no labels: nothing to do',
  metrics: 'Skerry has no cloud service that queries devices: use "skerry ps" or the topics under $SYS',
  deviceContent:
    'Skerry has no device twin: put the properties that a module needs into modules.<module>.desired',
  '$schema-template':
    'this file is a template, and its variables are not replaced: import the deployment that is generated from it',
};

/**
 * Parses the text of a deployment. `file` is the file name in error messages.
 * @throws Failure `import.foreign` if the text is not a deployment
 */
export function readDeployment(text: string, file: string, remark: AddRemark): AzureDeployment {
  if (Buffer.byteLength(text) > MAX_DEPLOYMENT_BYTES) throw foreign(file, 'it is larger than 4 MB');
  const root = parseDocument(text, file);
  const modules = modulesContentOf(root);
  if (modules === undefined) {
    throw foreign(file, 'it has no "modulesContent" with "$edgeAgent" and "$edgeHub"');
  }
  remarkOuterFields(root, remark);
  if (isLayered(modules)) {
    remark(
      'modulesContent',
      'this is a layered deployment: import its base deployment too, and merge both manifests',
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

/** Returns the value of an object's own field, or undefined. */
export function ownOf(object: JsonObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/**
 * Returns the value of a field, which must be an object. If the field is missing or invalid, returns an empty
 * object.
 */
export function objectAt(object: JsonObject, field: string, path: string, remark: AddRemark): JsonObject {
  const value = ownOf(object, field);
  if (isJsonObject(value)) return value;
  if (value !== undefined && value !== null) remark(`${path}.${field}`, 'is left out: it must be an object');
  return {};
}

/** Returns true if a value is an empty object, array or string, or `undefined`, `null`, `false` or 0. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Returns the Failure for a file that is not a deployment. */
export function foreign(file: string, reason: string): Failure {
  return new Failure('import.foreign', `The file ${file} is not a deployment of Azure IoT Edge: ${reason}.`);
}

function parseDocument(text: string, file: string): JsonObject {
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

function remarkOuterFields(root: JsonObject, remark: AddRemark): void {
  const content = ownOf(root, 'content');
  const outers = [root, isJsonObject(content) ? content : {}];
  for (const [field, sentence] of Object.entries(OUTER_FIELDS)) {
    if (outers.some(outer => !isEmpty(ownOf(outer, field)))) remark(field, sentence);
  }
}

/**
 * Returns the object with the settings of the modules. The object can be in the field `modulesContent`, in
 * this field within `content`, in the field `moduleContent` of old files, or at the top level of the file.
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

/**
 * Returns true if the deployment is layered (extends another deployment). A layered deployment does not
 * contain the complete settings of the agent.
 */
function isLayered(modules: JsonObject): boolean {
  const agent = ownOf(modules, AGENT);
  return !(isJsonObject(agent) && [DESIRED, 'desired', 'properties'].some(key => Object.hasOwn(agent, key)));
}

/**
 * Returns the desired properties of one module. An entry contains all properties in one object, or single
 * properties by path, such as `properties.desired.modules.camera`.
 */
function twinOf(name: string, entry: JsonObject, file: string, remark: AddRemark): JsonObject {
  const desired: JsonObject = {};
  for (const [key, value] of Object.entries(entry)) {
    const whole = key === 'properties' && isJsonObject(value) ? ownOf(value, 'desired') : value;
    if ([DESIRED, 'desired', 'properties'].includes(key)) {
      if (!isJsonObject(whole)) throw foreign(file, `${name}.${key} must be an object`);
      for (const [field, inner] of Object.entries(whole)) setField(desired, field, inner);
      continue;
    }
    const steps = key.split('.').slice(2);
    if (key.startsWith(`${DESIRED}.`) && steps.length <= MAX_DEPLOYMENT_NESTING)
      setAtPath(desired, steps, value);
    else remark(`${name}.${key}`, 'is not converted: only desired properties are supported');
  }
  return desired;
}

function setAtPath(target: JsonObject, [step = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    setField(target, step, value);
    return;
  }
  const existing = ownOf(target, step);
  const inner = isJsonObject(existing) ? existing : {};
  setField(target, step, inner);
  setAtPath(inner, rest, value);
}

/**
 * Sets a field of an object. A plain assignment to the name `__proto__` would change the prototype. This
 * function creates a field with that name.
 */
function setField(target: JsonObject, field: string, value: unknown): void {
  Object.defineProperty(target, field, { value, configurable: true, enumerable: true, writable: true });
}

/** Removes the excerpt of the file from an error text of JSON.parse. The excerpt can contain a password. */
function withoutText(reason: string): string {
  return reason.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');
}
