import * as v from 'valibot';
import {
  COMMIT_WINDOW,
  MAX_COMMIT_WINDOW,
  MAX_ROUTE_LENGTH,
  MAX_ROUTES,
  MIN_STORE_BYTES,
} from '../core/limits.ts';
import { anonymous, users } from './access.ts';
import { deployment, hub, signature } from './deployment.ts';
import { duration, name, size, whole } from './fields.ts';
import { listener } from './listeners.ts';
import { module } from './modules.ts';

const storeSize = v.pipe(
  size,
  v.check(value => value >= MIN_STORE_BYTES, 'must be at least "8M": the journals take 2 of them'),
);

const routeText = v.pipe(
  v.string('must be a route such as "FROM /messages/* INTO $upstream"'),
  v.maxLength(MAX_ROUTE_LENGTH, `must be at most ${MAX_ROUTE_LENGTH} characters`),
);

const route = v.pipe(
  v.union(
    [
      routeText,
      v.strictObject({
        route: routeText,
        priority: v.optional(
          v.pipe(
            v.number('must be a number'),
            v.integer('must be whole'),
            v.minValue(0, 'must be 0 to 9'),
            v.maxValue(9, 'must be 0 to 9'),
          ),
          9,
        ),
        ttl: v.optional(duration),
      }),
    ],
    'must be a route, or an object with "route", "priority" and "ttl"',
  ),
  v.transform(value => (typeof value === 'string' ? { route: value, priority: 9, ttl: undefined } : value)),
);

/** The manifest as it is written, with its defaults filled in. Later fields are refused until they work. */
export const manifestSchema = v.strictObject({
  $schema: v.optional(v.string()),
  name,
  /** Rises with each manifest that is signed. */
  serial: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
  signature: v.optional(signature),
  dialect: v.optional(v.picklist(['skerry', 'azure'], 'must be "skerry" or "azure"'), 'skerry'),
  modules: v.optional(v.record(name, module), {}),
  routes: v.optional(
    v.pipe(
      v.record(v.string(), route),
      v.check(routes => Object.keys(routes).length <= MAX_ROUTES, `must be at most ${MAX_ROUTES}`),
    ),
    {},
  ),
  storeAndForward: v.optional(
    v.strictObject({
      ttl: v.optional(duration, '7d'),
      maxSize: v.optional(storeSize, '512M'),
      maxQueueSize: v.optional(size),
      whenFull: v.optional(
        v.picklist(['reject', 'dropOldest'], 'must be "reject" or "dropOldest"'),
        'reject',
      ),
      commitWindow: v.optional(
        v.pipe(
          duration,
          v.check(value => value <= MAX_COMMIT_WINDOW, 'must be at most "10s": senders wait for it'),
        ),
        `${COMMIT_WINDOW}ms`,
      ),
    }),
    {},
  ),
  listeners: v.optional(v.array(listener), [{ mqtt: '127.0.0.1:1883' }]),
  users: v.optional(users, {}),
  anonymous: v.optional(anonymous),
  deployment: v.optional(deployment, {}),
  hub: v.optional(hub, {}),
  upstream: v.optional(v.strictObject({ url: v.string('must be an address such as "mqtt://parent:1883"') })),
});

/** The manifest as people write it. */
export type ManifestInput = v.InferInput<typeof manifestSchema>;

export type WrittenManifest = v.InferOutput<typeof manifestSchema>;
