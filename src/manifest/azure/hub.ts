import { MAX_ROUTE_LENGTH, MAX_ROUTES, MIN_STORE_BYTES } from '../../core/limits.ts';
import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import type { ManifestInput } from '../schema/schema.ts';
import { memoryOf } from './container.ts';
import { isNothing, objectAt, ownOf } from './document.ts';
import { isKept } from './names.ts';
import { shown, type Tell } from './remark.ts';

type WrittenRoutes = NonNullable<ManifestInput['routes']>;
type WrittenRoute = WrittenRoutes[string];
type WrittenStore = NonNullable<ManifestInput['storeAndForward']>;

const KNOWN = ['schemaVersion', 'routes', 'storeAndForwardConfiguration', 'mqttBroker'];
const STORE = '$edgeHub.storeAndForwardConfiguration';
const BROKER = '$edgeHub.mqttBroker';

/** What stands for a time without end: ten years. */
const ENDLESS = '3650d';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** The routes of a deployment. Whether they can be read is not looked at here. */
export function routesOf(hub: JsonObject, tell: Tell): WrittenRoutes {
  const routes: [string, WrittenRoute][] = [];
  for (const [name, entry] of Object.entries(objectAt(hub, 'routes', '$edgeHub', tell))) {
    const path = `$edgeHub.routes.${name}`;
    const text = isJsonObject(entry) ? ownOf(entry, 'route') : entry;
    // A layer takes a route away so.
    if (entry === null) continue;
    if (!isKept(name)) tell(path, 'is left out, for no route can have this name: give it another');
    else if (typeof text !== 'string' || text === '')
      tell(path, 'is left out: it must be a text, or an object with one in "route"');
    else if (text.length > MAX_ROUTE_LENGTH)
      tell(path, `is left out: a route may have ${MAX_ROUTE_LENGTH} characters, so split it`);
    else if (routes.length >= MAX_ROUTES) tell(path, `is left out: a manifest may have ${MAX_ROUTES} routes`);
    else routes.push([name, isJsonObject(entry) ? routeOf(entry, text, path, tell) : text]);
  }
  return Object.fromEntries(routes);
}

function routeOf(entry: JsonObject, route: string, path: string, tell: Tell): WrittenRoute {
  const { priority, timeToLiveSecs } = entry;
  const known = typeof priority === 'number' && Number.isInteger(priority) && priority >= 0 && priority <= 9;
  if (priority !== undefined && !known)
    tell(`${path}.priority`, `must be 0 to 9, and is ${shown(priority)}: it became 9, the last`);
  const ttl = timeToLiveSecs === 0 ? undefined : lifetimeOf(timeToLiveSecs, `${path}.timeToLiveSecs`, tell);
  for (const key of Object.keys(entry)) {
    if (!['route', 'priority', 'timeToLiveSecs'].includes(key))
      tell(`${path}.${key}`, 'is no field that this import knows');
  }
  return { route, ...(known ? { priority } : {}), ...(ttl === undefined ? {} : { ttl }) };
}

/** How long messages wait, and how many. */
export function storeOf(hub: JsonObject, tell: Tell): WrittenStore {
  const written = objectAt(hub, 'storeAndForwardConfiguration', '$edgeHub', tell);
  const ttl = lifetimeOf(ownOf(written, 'timeToLiveSecs'), `${STORE}.timeToLiveSecs`, tell);
  const limits = objectAt(written, 'storeLimits', STORE, tell);
  const maxSize = maxSizeOf(ownOf(limits, 'maxSizeBytes'), `${STORE}.storeLimits.maxSizeBytes`, tell);
  for (const key of Object.keys(written)) {
    if (key !== 'timeToLiveSecs' && key !== 'storeLimits')
      tell(`${STORE}.${key}`, 'is no field that this import knows');
  }
  return { ...(ttl === undefined ? {} : { ttl }), ...(maxSize === undefined ? {} : { maxSize }) };
}

function maxSizeOf(value: unknown, path: string, tell: Tell): string | number | undefined {
  const bytes = memoryOf(value);
  if (bytes === undefined) {
    if (!isNothing(value)) tell(path, `${shown(value)} bounds nothing: storeAndForward.maxSize is 512M`);
    return undefined;
  }
  if (typeof value !== 'number' || value >= MIN_STORE_BYTES) return bytes;
  tell(path, `${shown(value)} is less than the store needs: storeAndForward.maxSize became 8M`);
  return '8M';
}

/** A time of the manifest for a number of seconds; undefined: it says nothing, or nothing that can be. */
function lifetimeOf(seconds: unknown, path: string, tell: Tell): string | undefined {
  if (seconds === undefined || seconds === null) return undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds >= 2 ** 32) {
    tell(path, `is left out: it must be a whole number of seconds, and is ${shown(seconds)}`);
    return undefined;
  }
  if (seconds < 0) {
    tell(path, `${seconds} is for ever, and became ${ENDLESS}`);
    return ENDLESS;
  }
  const [letter, unit] = UNITS.find(([, length]) => seconds > 0 && seconds % length === 0) ?? ['s', 1];
  return `${seconds / unit}${letter}`;
}

/** Tells what of the hub's settings is said in another way. */
export function tellHub(hub: JsonObject, tell: Tell): void {
  for (const [key, value] of Object.entries(objectAt(hub, 'mqttBroker', '$edgeHub', tell))) {
    if (isNothing(value)) continue;
    if (key === 'authorizations')
      for (const index of Object.keys(Array.isArray(value) ? value : [value]))
        tell(
          `${BROKER}.authorizations[${index}]`,
          'is not carried over: say what clients may do in users, and what modules may do in modules.<module>.publish and subscribe',
        );
    else if (key === 'bridges')
      for (const index of Object.keys(Array.isArray(value) ? value : [value]))
        tell(
          `${BROKER}.bridges[${index}]`,
          'is not carried over: write a route FROM topic("...") INTO $upstream for what goes up; nothing comes down',
        );
    else tell(`${BROKER}.${key}`, 'is no field that this import knows');
  }
  for (const [key, value] of Object.entries(hub)) {
    if (KNOWN.includes(key) || isNothing(value)) continue;
    const path = `$edgeHub.${key}`;
    if (key === 'integrity' || key === 'manifestTrust')
      tell(path, 'is not carried over: sign the manifest by "skerry sign"');
    else tell(path, 'is no field that this import knows');
  }
}
