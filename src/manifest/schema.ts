import * as v from 'valibot';
import {
  COMMIT_WINDOW,
  MAX_COMMIT_WINDOW,
  MAX_ROUTE_LENGTH,
  MAX_ROUTES,
  MIN_STORE_BYTES,
} from '../core/limits.ts';
import { anonymous, topicLists, users } from './access.ts';
import { listener } from './listeners.ts';
import { durationOf, sizeOf } from './units.ts';

/** A name that can stand in a topic, a file name and a route. */
const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"'),
);

const duration = v.pipe(
  v.union([v.string(), v.number()], 'must be a time such as "90s", "2h" or "7d"'),
  v.check(value => durationOf(value) !== undefined, 'must be a time such as "90s", "2h" or "7d"'),
  v.transform(value => durationOf(value) ?? 0),
);

const size = v.pipe(
  v.union([v.string(), v.number()], 'must be a size such as "512M"'),
  v.check(value => sizeOf(value) !== undefined, 'must be a size such as "512M"'),
  v.transform(value => sizeOf(value) ?? 0),
);

const storeSize = v.pipe(
  size,
  v.check(value => value >= MIN_STORE_BYTES, 'must be at least "8M": the journals take 2 of them'),
);

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const;

const module = v.strictObject({
  exec: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.check(text => !text.includes('\0'), 'must not contain a NUL'),
      ),
      'must be a list: the program and its arguments',
    ),
    v.check(list => (list[0] ?? '') !== '', 'must name the program to run'),
  ),
  io: v.optional(v.picklist(['lines', 'mqtt'], 'must be "lines" or "mqtt"'), 'mqtt'),
  env: v.optional(
    v.record(
      v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name for a variable')),
      v.string('must be a string'),
    ),
    {},
  ),
  restart: v.optional(
    v.picklist(['never', 'on-failure', 'always'], 'must be "never", "on-failure" or "always"'),
    'always',
  ),
  startupOrder: v.optional(v.pipe(v.number('must be a number'), v.integer('must be a whole number')), 0),
  stopSignal: v.optional(v.picklist(SIGNALS, `must be one of ${SIGNALS.join(', ')}`), 'SIGTERM'),
  stopGraceSeconds: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.minValue(0, 'must not be negative'),
      v.maxValue(3600, 'must be at most 3600'),
    ),
    10,
  ),
  tty: v.optional(v.boolean('must be true or false'), false),
  ack: v.optional(v.boolean('must be true or false'), false),
  ...topicLists,
});

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
  upstream: v.optional(v.strictObject({ url: v.string('must be an address such as "mqtt://parent:1883"') })),
});

export type WrittenManifest = v.InferOutput<typeof manifestSchema>;
