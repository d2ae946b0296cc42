import * as v from 'valibot';
import { MAX_ROUTE_LENGTH, MAX_ROUTES } from '../../core/limits.ts';
import { COMMIT_WINDOW_MS, MAX_COMMIT_WINDOW_MS, MIN_STORE_BYTES } from '../limits.ts';
import { anonymous, users } from './access.ts';
import { deployment, devices, hub, signature } from './deployment.ts';
import {
  about,
  byName,
  duration,
  durationUpTo,
  flag,
  jsonSchema,
  name,
  object,
  oneOf,
  size,
  sizeFrom,
  text,
  whole,
} from './fields.ts';
import { limits } from './limits.ts';
import { listener } from './listeners.ts';
import { module } from './modules.ts';
import { upstream, upstreams } from './upstream.ts';

const ROUTE = 'must be a route such as "FROM /messages/* INTO $upstream"';

const routeText = v.pipe(
  v.string(ROUTE),
  v.minLength(1, ROUTE),
  v.maxLength(MAX_ROUTE_LENGTH, `must be at most ${MAX_ROUTE_LENGTH} characters`),
);

const priority = v.pipe(
  v.number('must be a number'),
  v.integer('must be an integer'),
  v.minValue(0, 'must be 0 to 9'),
  v.maxValue(9, 'must be 0 to 9'),
);

const route = v.pipe(
  v.union(
    [
      routeText,
      object({
        route: about('The route: FROM a source WHERE a condition INTO a sink.', routeText),
        priority: v.optional(
          about('Priority from 0 to 9; messages with a lower number are sent first.', priority),
          9,
        ),
        ttl: v.optional(about('Time to live of the messages; default is "storeAndForward.ttl".', duration)),
      }),
    ],
    'must be a route, or an object with "route", "priority" and "ttl"',
  ),
  v.transform(value => (typeof value === 'string' ? { route: value, priority: 9, ttl: undefined } : value)),
);

const routes = v.pipe(
  byName(text, route, 'must be an object of routes by their names'),
  v.check(all => Object.keys(all).length <= MAX_ROUTES, `must have at most ${MAX_ROUTES} routes`),
  jsonSchema({ maxProperties: MAX_ROUTES }),
);

const commitWindow = durationUpTo(
  MAX_COMMIT_WINDOW_MS,
  'must be at most "10s", because senders wait for the commit',
);

const storeAndForward = object({
  ttl: v.optional(about('Time to live of a message, counted while the hub is up.', duration), '7d'),
  maxSize: v.optional(
    about(
      'Maximum size on disk of all queues together.',
      sizeFrom(MIN_STORE_BYTES, 'must be at least "8M", because the journals use 2M'),
    ),
    '512M',
  ),
  maxQueueSize: v.optional(about('Maximum size on disk of each queue.', size)),
  whenFull: v.optional(
    about(
      'reject: new messages are refused; dropOldest: the oldest messages of the lowest priority are dropped.',
      oneOf(['reject', 'dropOldest']),
    ),
    'reject',
  ),
  commitWindow: v.optional(
    about('Minimum time between two small writes to flash.', commitWindow),
    `${COMMIT_WINDOW_MS}ms`,
  ),
});

/** Schema of a manifest file. Fills in all defaults. */
export const manifestSchema = v.pipe(
  object(
    {
      $schema: v.optional(about('Path of the JSON Schema for editors; see "skerry schema".', text)),
      name: about('Name of the device; first level of every upstream topic.', name),
      serial: v.optional(
        about('Serial number; increases with each signed manifest.', whole(1, Number.MAX_SAFE_INTEGER)),
      ),
      for: v.optional(
        about('Names of the devices that accept this manifest; one * matches any characters.', devices),
      ),
      signature: v.optional(about('Signature of the manifest; written by "skerry sign".', signature)),
      dialect: v.optional(
        about('Dialect of the routes: Skerry or Azure IoT Edge.', oneOf(['skerry', 'azure'])),
        'skerry',
      ),
      modules: v.optional(
        about('Modules by name.', byName(name, module, 'must be an object of modules by their names')),
        {},
      ),
      routes: v.optional(about('Routes by name.', routes), {}),
      storeAndForward: v.optional(
        about('Durable queues for messages that cannot be delivered yet.', storeAndForward),
        {},
      ),
      listeners: v.optional(
        about('Listeners for clients.', v.array(listener, 'must be an array of listeners')),
        [{ mqtt: '127.0.0.1:1883' }],
      ),
      users: v.optional(about('Users and their permissions, by name.', users), {}),
      anonymous: v.optional(about('Permissions of anonymous clients.', anonymous)),
      deployment: v.optional(about('Conditions of a successful deployment.', deployment), {}),
      hub: v.optional(about('Hub binary that runs this manifest, by architecture.', hub), {}),
      limits: v.optional(about('Limits of the hub as a whole.', limits), {}),
      retained: v.optional(
        about(
          'True if clients may publish retained messages; otherwise a PUBLISH with RETAIN is refused.',
          flag,
        ),
        true,
      ),
      upstream: v.optional(
        about('Parent hub or broker that receives the messages of routes INTO $upstream.', upstream),
      ),
      upstreams: v.optional(
        about(
          'Several upstreams by name, instead of "upstream"; routes use INTO $upstream/<name>.',
          upstreams,
        ),
      ),
    },
    'must be an object such as { "name": "shop", "modules": {} }',
  ),
  jsonSchema({ not: { required: ['upstream', 'upstreams'] } }),
);

/** Manifest as written in a file, before the defaults are filled in. */
export type ManifestInput = v.InferInput<typeof manifestSchema>;

/** Manifest in the structure of its file, with a default for each missing field. */
export type WrittenManifest = v.InferOutput<typeof manifestSchema>;
