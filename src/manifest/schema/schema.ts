import * as v from 'valibot';
import { MAX_ROUTE_LENGTH, MAX_ROUTES, MIN_STORE_BYTES } from '../../core/limits.ts';
import { COMMIT_WINDOW, MAX_COMMIT_WINDOW } from '../../core/store-limits.ts';
import { anonymous, users } from './access.ts';
import { deployment, devices, hub, signature } from './deployment.ts';
import {
  about,
  byName,
  duration,
  durationUpTo,
  flag,
  name,
  object,
  oneOf,
  size,
  sizeFrom,
  stated,
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
  v.integer('must be a whole number'),
  v.minValue(0, 'must be 0 to 9'),
  v.maxValue(9, 'must be 0 to 9'),
);

const route = v.pipe(
  v.union(
    [
      routeText,
      object({
        route: about('The route: FROM a source WHERE a condition INTO a sink.', routeText),
        priority: v.optional(about('0 to 9, lower goes first.', priority), 9),
        ttl: v.optional(about("How long its messages may wait; otherwise the store's.", duration)),
      }),
    ],
    'must be a route, or an object with "route", "priority" and "ttl"',
  ),
  v.transform(value => (typeof value === 'string' ? { route: value, priority: 9, ttl: undefined } : value)),
);

const routes = v.pipe(
  byName(text, route, 'must be an object of routes by their names'),
  v.check(all => Object.keys(all).length <= MAX_ROUTES, `must have at most ${MAX_ROUTES} routes`),
  stated({ maxProperties: MAX_ROUTES }),
);

const commitWindow = durationUpTo(MAX_COMMIT_WINDOW, 'must be at most "10s": senders wait for it');

const storeAndForward = object({
  ttl: v.optional(about('How long a message may wait, counted while the hub is up.', duration), '7d'),
  maxSize: v.optional(
    about(
      'Disk of all that waits, at most.',
      sizeFrom(MIN_STORE_BYTES, 'must be at least "8M": the journals take 2 of them'),
    ),
    '512M',
  ),
  maxQueueSize: v.optional(about('Disk of any one queue, at most.', size)),
  whenFull: v.optional(
    about(
      'reject: the sender gets no acknowledgement; dropOldest: the oldest and least urgent make room.',
      oneOf(['reject', 'dropOldest']),
    ),
    'reject',
  ),
  commitWindow: v.optional(
    about('At the least so long between two small writes to flash.', commitWindow),
    `${COMMIT_WINDOW}ms`,
  ),
});

/** The manifest as it is written, with its defaults filled in. Later fields are refused until they work. */
export const manifestSchema = v.pipe(
  object(
    {
      $schema: v.optional(about('Where editors find what a manifest may say; see "skerry schema".', text)),
      name: about("The device's name; first in every topic upstream.", name),
      serial: v.optional(
        about('Rises with each manifest that is signed.', whole(1, Number.MAX_SAFE_INTEGER)),
      ),
      for: v.optional(
        about('Names of the devices that accept it; one * stands for any characters.', devices),
      ),
      signature: v.optional(about('Who vouches for the manifest; "skerry sign" writes it.', signature)),
      dialect: v.optional(
        about('How routes are read: as Skerry does, or as Azure IoT Edge does.', oneOf(['skerry', 'azure'])),
        'skerry',
      ),
      modules: v.optional(
        about('What runs, by its name.', byName(name, module, 'must be an object of modules by their names')),
        {},
      ),
      routes: v.optional(about('Which messages go where, by a name for each route.', routes), {}),
      storeAndForward: v.optional(about('What is kept while it cannot be delivered.', storeAndForward), {}),
      listeners: v.optional(
        about('Where clients come in.', v.array(listener, 'must be a list of listeners')),
        [{ mqtt: '127.0.0.1:1883' }],
      ),
      users: v.optional(about('Who may come in and do what, by the name.', users), {}),
      anonymous: v.optional(about('What a client without a name may do.', anonymous)),
      deployment: v.optional(about('When a change to this manifest has succeeded.', deployment), {}),
      hub: v.optional(about('The hub that is to run it, by architecture.', hub), {}),
      limits: v.optional(about('Limits of the hub as a whole.', limits), {}),
      retained: v.optional(
        about('Whether messages may be retained; if not, a PUBLISH with RETAIN is refused.', flag),
        true,
      ),
      upstream: v.optional(about('The parent that routes INTO $upstream go to.', upstream)),
      upstreams: v.optional(
        about(
          'Several parents by their names, in place of "upstream": routes go INTO $upstream/<name>.',
          upstreams,
        ),
      ),
    },
    'must be an object such as { "name": "shop", "modules": {} }',
  ),
  stated({ not: { required: ['upstream', 'upstreams'] } }),
);
/** The manifest as people write it. */
export type ManifestInput = v.InferInput<typeof manifestSchema>;

export type WrittenManifest = v.InferOutput<typeof manifestSchema>;
