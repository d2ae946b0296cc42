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

const KNOWN = ['schemaVersion', 'routes', 'storeAndForwardConfiguration', 'mqttBroker'];
const STORE = '$edgeHub.storeAndForwardConfiguration';
const BROKER = '$edgeHub.mqttBroker';

/** Replacement for an unlimited time to live: ten years. */
const ENDLESS = '3650d';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** Converts the routes of a deployment. Their syntax is not checked here. */
export function routesOf(hub: JsonObject, remark: AddRemark): WrittenRoutes {
  const routes: [string, WrittenRoute][] = [];
  for (const [name, entry] of Object.entries(objectAt(hub, 'routes', '$edgeHub', remark))) {
    const path = `$edgeHub.routes.${name}`;
    const text = isJsonObject(entry) ? ownOf(entry, 'route') : entry;
    // A layered deployment removes a route with null.
    if (entry === null) continue;
    if (!isUsableKey(name)) remark(path, 'is left out, because no route can have this name: give it another');
    else if (typeof text !== 'string' || text === '')
      remark(path, 'is left out: it must be a text, or an object with one in "route"');
    else if (text.length > MAX_ROUTE_LENGTH)
      remark(path, `is left out: a route may have ${MAX_ROUTE_LENGTH} characters, so split it`);
    else if (routes.length >= MAX_ROUTES)
      remark(path, `is left out: a manifest may have ${MAX_ROUTES} routes`);
    else routes.push([name, isJsonObject(entry) ? routeOf(entry, text, path, remark) : text]);
  }
  return Object.fromEntries(routes);
}

function routeOf(entry: JsonObject, route: string, path: string, remark: AddRemark): WrittenRoute {
  const { priority, timeToLiveSecs } = entry;
  const known = typeof priority === 'number' && Number.isInteger(priority) && priority >= 0 && priority <= 9;
  if (priority !== undefined && !known)
    remark(`${path}.priority`, `must be 0 to 9, and is ${shown(priority)}: it became 9, the last`);
  const ttl = timeToLiveSecs === 0 ? undefined : lifetimeOf(timeToLiveSecs, `${path}.timeToLiveSecs`, remark);
  for (const key of Object.keys(entry)) {
    if (!['route', 'priority', 'timeToLiveSecs'].includes(key))
      remark(`${path}.${key}`, 'is an unknown field');
  }
  return { route, ...(known ? { priority } : {}), ...(ttl === undefined ? {} : { ttl }) };
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
    if (!isEmpty(value)) remark(path, `${shown(value)} bounds nothing: storeAndForward.maxSize is 512M`);
    return undefined;
  }
  if (typeof value !== 'number' || value >= MIN_STORE_BYTES) return bytes;
  remark(path, `${shown(value)} is less than the store needs: storeAndForward.maxSize became 8M`);
  return '8M';
}

/** Converts seconds to a duration of the manifest. Undefined if absent or invalid. */
function lifetimeOf(seconds: unknown, path: string, remark: AddRemark): string | undefined {
  if (seconds === undefined || seconds === null) return undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds >= 2 ** 32) {
    remark(path, `is left out: it must be a whole number of seconds, and is ${shown(seconds)}`);
    return undefined;
  }
  if (seconds < 0) {
    remark(path, `${seconds} means unlimited and became ${ENDLESS}`);
    return ENDLESS;
  }
  const [letter, unit] = UNITS.find(([, length]) => seconds > 0 && seconds % length === 0) ?? ['s', 1];
  return `${seconds / unit}${letter}`;
}

/** Adds remarks for settings of the hub that have no direct equivalent. */
export function remarkHub(hub: JsonObject, remark: AddRemark): void {
  for (const [key, value] of Object.entries(objectAt(hub, 'mqttBroker', '$edgeHub', remark))) {
    if (isEmpty(value)) continue;
    if (key === 'authorizations')
      for (const index of Object.keys(Array.isArray(value) ? value : [value]))
        remark(
          `${BROKER}.authorizations[${index}]`,
          'is not converted: say what clients may do in users, and what modules may do in modules.<module>.publish and subscribe',
        );
    else if (key === 'bridges')
      for (const index of Object.keys(Array.isArray(value) ? value : [value]))
        remark(
          `${BROKER}.bridges[${index}]`,
          'is not converted: write a route FROM topic("...") INTO $upstream for what goes up; nothing comes down',
        );
    else remark(`${BROKER}.${key}`, 'is an unknown field');
  }
  for (const [key, value] of Object.entries(hub)) {
    if (KNOWN.includes(key) || isEmpty(value)) continue;
    const path = `$edgeHub.${key}`;
    if (key === 'integrity' || key === 'manifestTrust')
      remark(path, 'is not converted: sign the manifest by "skerry sign"');
    else remark(path, 'is an unknown field');
  }
}
