import { MAX_ROUTE_LENGTH, MAX_ROUTES } from '../../core/limits.ts';
import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { MIN_STORE_BYTES } from '../limits.ts';
import type { ManifestInput } from '../schema/schema.ts';
import { memoryOf } from './container.ts';
import { isEmpty, objectAt, ownOf } from './document.ts';
import { isUsableKey } from './names.ts';
import { type AddRemark, shown } from './remark.ts';

type WrittenRoutes = NonNullable<ManifestInput['routes']>;
type WrittenRoute = WrittenRoutes[string];
type WrittenStore = NonNullable<ManifestInput['storeAndForward']>;

/** Fields of the hub's desired properties that the import handles. */
const KNOWN = ['schemaVersion', 'routes', 'storeAndForwardConfiguration', 'mqttBroker'];
const STORE = '$edgeHub.storeAndForwardConfiguration';
const BROKER = '$edgeHub.mqttBroker';

/** Time to live in the manifest if the deployment sets "unlimited" (a negative number): ten years. */
const UNLIMITED_TTL = '3650d';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** Converts the routes of a deployment. Does not check the syntax of the routes. */
export function routesOf(hub: JsonObject, remark: AddRemark): WrittenRoutes {
  const routes: [string, WrittenRoute][] = [];
  for (const [name, entry] of Object.entries(objectAt(hub, 'routes', '$edgeHub', remark))) {
    const path = `$edgeHub.routes.${name}`;
    const text = isJsonObject(entry) ? ownOf(entry, 'route') : entry;
    // In a layered deployment, null removes a route of the base deployment.
    if (entry === null) continue;
    if (!isUsableKey(name)) remark(path, 'is left out, because its name is reserved: rename the route');
    else if (typeof text !== 'string' || text === '')
      remark(path, 'is left out: it must be a string, or an object with a string in "route"');
    else if (text.length > MAX_ROUTE_LENGTH)
      remark(path, `is left out: a route must have at most ${MAX_ROUTE_LENGTH} characters: split the route`);
    else if (routes.length >= MAX_ROUTES)
      remark(path, `is left out: a manifest must have at most ${MAX_ROUTES} routes`);
    else routes.push([name, isJsonObject(entry) ? routeOf(entry, text, path, remark) : text]);
  }
  return Object.fromEntries(routes);
}

function routeOf(entry: JsonObject, route: string, path: string, remark: AddRemark): WrittenRoute {
  const { priority, timeToLiveSecs } = entry;
  const isValid =
    typeof priority === 'number' && Number.isInteger(priority) && priority >= 0 && priority <= 9;
  if (priority !== undefined && !isValid)
    remark(`${path}.priority`, `must be 0 to 9, but is ${shown(priority)}: the lowest priority 9 is used`);
  const ttl = timeToLiveSecs === 0 ? undefined : lifetimeOf(timeToLiveSecs, `${path}.timeToLiveSecs`, remark);
  for (const key of Object.keys(entry)) {
    if (!['route', 'priority', 'timeToLiveSecs'].includes(key))
      remark(`${path}.${key}`, 'is an unknown field');
  }
  return { route, ...(isValid ? { priority } : {}), ...(ttl === undefined ? {} : { ttl }) };
}

/** Converts the store-and-forward settings. */
export function storeOf(hub: JsonObject, remark: AddRemark): WrittenStore {
  const written = objectAt(hub, 'storeAndForwardConfiguration', '$edgeHub', remark);
  const ttl = lifetimeOf(ownOf(written, 'timeToLiveSecs'), `${STORE}.timeToLiveSecs`, remark);
  const limits = objectAt(written, 'storeLimits', STORE, remark);
  const maxSize = maxSizeOf(ownOf(limits, 'maxSizeBytes'), `${STORE}.storeLimits.maxSizeBytes`, remark);
  for (const key of Object.keys(written)) {
    if (key !== 'timeToLiveSecs' && key !== 'storeLimits') remark(`${STORE}.${key}`, 'is an unknown field');
  }
  return { ...(ttl === undefined ? {} : { ttl }), ...(maxSize === undefined ? {} : { maxSize }) };
}

function maxSizeOf(value: unknown, path: string, remark: AddRemark): string | number | undefined {
  const bytes = memoryOf(value);
  if (bytes === undefined) {
    if (!isEmpty(value))
      remark(path, `${shown(value)} is not a valid limit: storeAndForward.maxSize is 512M`);
    return undefined;
  }
  if (typeof value !== 'number' || value >= MIN_STORE_BYTES) return bytes;
  remark(path, `${shown(value)} is less than the minimum of the store: storeAndForward.maxSize is 8M`);
  return '8M';
}

/** Converts seconds to a duration such as `"90s"`. Returns undefined if the value is missing or invalid. */
function lifetimeOf(seconds: unknown, path: string, remark: AddRemark): string | undefined {
  if (seconds === undefined || seconds === null) return undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds >= 2 ** 32) {
    remark(path, `is left out: it must be an integer number of seconds, but is ${shown(seconds)}`);
    return undefined;
  }
  if (seconds < 0) {
    remark(path, `${seconds} means unlimited: the time to live is ${UNLIMITED_TTL} instead`);
    return UNLIMITED_TTL;
  }
  const [letter, unit] = UNITS.find(([, length]) => seconds > 0 && seconds % length === 0) ?? ['s', 1];
  return `${seconds / unit}${letter}`;
}

/** Adds remarks about settings of the hub that are not converted. */
export function remarkHub(hub: JsonObject, remark: AddRemark): void {
  for (const [key, value] of Object.entries(objectAt(hub, 'mqttBroker', '$edgeHub', remark))) {
    if (isEmpty(value)) continue;
    if (key === 'authorizations')
      for (const index of Object.keys(Array.isArray(value) ? value : [value]))
        remark(
          `${BROKER}.authorizations[${index}]`,
          'is not converted: set the permissions of clients in users, and of modules in modules.<module>.publish and subscribe',
        );
    else if (key === 'bridges')
      for (const index of Object.keys(Array.isArray(value) ? value : [value]))
        remark(
          `${BROKER}.bridges[${index}]`,
          'is not converted: write a route FROM topic("...") INTO $upstream for outgoing messages; incoming messages are not supported',
        );
    else remark(`${BROKER}.${key}`, 'is an unknown field');
  }
  for (const [key, value] of Object.entries(hub)) {
    if (KNOWN.includes(key) || isEmpty(value)) continue;
    const path = `$edgeHub.${key}`;
    if (key === 'integrity' || key === 'manifestTrust')
      remark(path, 'is not converted: sign the manifest with "skerry sign"');
    else remark(path, 'is an unknown field');
  }
}
