import * as v from 'valibot';
import { topicLists } from './access.ts';
import { bundle, secrets } from './deployment.ts';
import { desired } from './desired.ts';
import { seconds, size, variable, whole } from './fields.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const;

const RESTARTS = ['never', 'on-failure', 'on-unhealthy', 'always'] as const;

const SANDBOXES = ['none', 'standard', 'strict'] as const;

const command = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.check(text => !text.includes('\0'), 'must not contain a NUL'),
    ),
    'must be a list: the program and its arguments',
  ),
  v.check(list => (list[0] ?? '') !== '', 'must name the program to run'),
);

/** How a module that ends is started again: after `firstSeconds`, each time `factor` times later. */
const backoff = v.strictObject({
  firstSeconds: v.optional(seconds(0.1, 3600), 1),
  factor: v.optional(v.pipe(v.number('must be a number'), v.minValue(1), v.maxValue(10)), 2),
  mostSeconds: v.optional(seconds(0.1, 86_400), 60),
  /** After a run of this length it is started again at once, and the ends before are forgotten. */
  resetSeconds: v.optional(seconds(1, 86_400), 60),
});

/** How it is told that a module is ready and well: by a program's exit code, by a port, or by itself over MQTT. */
const health = v.pipe(
  v.strictObject({
    exec: v.optional(command),
    tcp: v.optional(whole(1, 65_535)),
    mqtt: v.optional(v.boolean('must be true or false')),
    everySeconds: v.optional(seconds(0.1, 3600), 10),
    timeoutSeconds: v.optional(seconds(0.1, 3600), 5),
    threshold: v.optional(whole(1, 100), 3),
    /** How long the modules behind it in the start order wait for it to be ready. */
    readySeconds: v.optional(seconds(0, 3600), 30),
  }),
  v.check(
    ({ exec, tcp, mqtt }) =>
      [exec, tcp, mqtt === true || undefined].filter(one => one !== undefined).length === 1,
    'must name one of "exec", "tcp" and "mqtt": true',
  ),
);

const limits = v.strictObject({
  memory: v.optional(size),
  /** Beyond this it is slowed down and its memory reclaimed. */
  memoryHigh: v.optional(size),
  /** Processors: 0.5 is half of one. */
  cpu: v.optional(
    v.pipe(
      v.number('must be a number of processors'),
      v.minValue(0.01, 'must be at least 0.01'),
      v.maxValue(1024, 'must be at most 1024'),
    ),
  ),
  pids: v.optional(whole(1, 4_194_304)),
  ioWeight: v.optional(whole(1, 10_000)),
});

const device = v.pipe(
  v.string('must be a device such as "/dev/i2c-1"'),
  v.regex(/^\/dev\/(?!.*\.\.)[A-Za-z0-9._/-]+$/, 'must be a device such as "/dev/i2c-1"'),
);

/** One module as it is written. */
export const module = v.strictObject({
  exec: command,
  bundle: v.optional(bundle),
  io: v.optional(v.picklist(['lines', 'mqtt'], 'must be "lines" or "mqtt"'), 'mqtt'),
  env: v.optional(v.record(variable, v.string('must be a string')), {}),
  secrets: v.optional(secrets, {}),
  desired: v.optional(desired),
  restart: v.optional(v.picklist(RESTARTS, `must be one of ${RESTARTS.join(', ')}`), 'always'),
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
  backoff: v.optional(backoff, {}),
  health: v.optional(health),
  limits: v.optional(limits, {}),
  sandbox: v.optional(v.picklist(SANDBOXES, `must be one of ${SANDBOXES.join(', ')}`), 'none'),
  user: v.optional(
    v.pipe(v.string('must be the name of a user, its number, or "dynamic"'), v.minLength(1, 'is empty')),
  ),
  devices: v.optional(v.array(device, 'must be a list of devices'), []),
  require: v.optional(v.boolean('must be true or false'), false),
  ...topicLists,
});
