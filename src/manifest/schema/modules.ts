import * as v from 'valibot';
import { MAX_STARTUP_ORDER, MIN_MODULE_MEMORY_BYTES } from '../limits.ts';
import { topicLists } from './access.ts';
import { bundle, secrets } from './deployment.ts';
import { desired } from './desired.ts';
import {
  about,
  byName,
  choice,
  didYouMean,
  flag,
  jsonSchema,
  number,
  object,
  oneOf,
  seconds,
  sizeFrom,
  text,
  variable,
  whole,
} from './fields.ts';

/** Pattern of a string without the character NUL. Arguments and variables of a program cannot contain NUL. */
const WITHOUT_NUL = '^[^\\u0000]*$';

const argument = v.pipe(
  text,
  v.check(word => !word.includes('\0'), 'must not contain a NUL'),
  jsonSchema({ pattern: WITHOUT_NUL }),
);

const command = v.pipe(
  v.array(argument, 'must be an array of the program and its arguments'),
  v.check(list => (list[0] ?? '') !== '', 'must name the program to run'),
  jsonSchema({ minItems: 1, prefixItems: [{ type: 'string', minLength: 1, pattern: WITHOUT_NUL }] }),
);

const backoff = object({
  firstSeconds: v.optional(about('Initial delay of a restart.', seconds(0.1, 3600)), 1),
  factor: v.optional(about('Factor by which each further delay is longer.', number(1, 10)), 2),
  mostSeconds: v.optional(about('Maximum delay.', seconds(0.1, 86_400)), 60),
  resetSeconds: v.optional(
    about(
      'Minimum length of a stable run; after it, the module restarts at once and the delay is reset.',
      seconds(1, 86_400),
    ),
    60,
  ),
});

const health = v.pipe(
  object({
    exec: v.optional(about('Exec probe: healthy if this program exits with 0.', command)),
    tcp: v.optional(about('TCP probe: healthy if this local port accepts a connection.', whole(1, 65_535))),
    mqtt: v.optional(about('The module reports its health over MQTT.', flag)),
    everySeconds: v.optional(about('Seconds between two checks.', seconds(0.1, 3600)), 10),
    timeoutSeconds: v.optional(about('Timeout of a check in seconds.', seconds(0.1, 3600)), 5),
    threshold: v.optional(
      about('Number of failures in a row after which the module is unhealthy.', whole(1, 100)),
      3,
    ),
    readySeconds: v.optional(
      about(
        'Maximum time that later modules in the startup order wait until this module is ready.',
        seconds(0, 3600),
      ),
      30,
    ),
  }),
  v.check(
    ({ exec, tcp, mqtt }) =>
      [exec, tcp, mqtt === true || undefined].filter(one => one !== undefined).length === 1,
    'must name one of "exec", "tcp" and "mqtt": true',
  ),
  jsonSchema({
    oneOf: [
      { required: ['exec'] },
      { required: ['tcp'] },
      { required: ['mqtt'], properties: { mqtt: { const: true } } },
    ],
  }),
);

const memory = sizeFrom(MIN_MODULE_MEMORY_BYTES, 'must be at least "1M": no program starts in less');

const limits = object({
  memory: v.optional(about('Memory limit; beyond it the module is OOM-killed.', memory)),
  memoryHigh: v.optional(
    about('Soft memory limit; beyond it the module is throttled and its memory reclaimed.', memory),
  ),
  cpu: v.optional(
    about(
      'CPU limit in processors; 0.5 is half a processor.',
      number(0.01, 1024, 'must be a number of processors'),
    ),
  ),
  pids: v.optional(about('Maximum number of processes and threads.', whole(1, 4_194_304))),
  ioWeight: v.optional(about('I/O weight on a busy disk; the default is 100.', whole(1, 10_000))),
});

const LEVELS = ['none', 'standard', 'strict'] as const;

const sandbox = v.pipe(
  v.union(
    [
      oneOf(LEVELS),
      object({
        level: about('Sandbox level.', oneOf(LEVELS)),
        network: v.optional(
          about('none: the module reaches only the hub, over a Unix socket.', oneOf(['host', 'none'])),
          'host',
        ),
      }),
    ],
    ({ input }) =>
      typeof input === 'string'
        ? `must be ${choice(LEVELS)}${didYouMean(input, LEVELS)}`
        : `must be ${choice(LEVELS)}, or an object with "level" and "network"`,
  ),
  v.transform(value => (typeof value === 'string' ? { level: value, network: 'host' as const } : value)),
);

const device = v.pipe(
  v.string('must be a device such as "/dev/i2c-1"'),
  v.regex(/^\/dev\/(?!.*\.\.)[A-Za-z0-9._/-]+$/, 'must be a device such as "/dev/i2c-1"'),
);

const user = v.pipe(
  v.string('must be the name of a user, its number, or "dynamic"'),
  v.minLength(1, 'is empty'),
);

const env = byName(
  variable,
  v.pipe(
    v.string('must be a string'),
    v.check(word => !word.includes('\0'), 'must not contain a NUL'),
    jsonSchema({ pattern: WITHOUT_NUL }),
  ),
  'must be an object of strings by variable name',
);

/** Schema of a module in a manifest. */
export const module = object({
  exec: about(
    "Program and arguments; a path with a slash starts at the manifest's folder, or in the bundle.",
    command,
  ),
  bundle: v.optional(about('Archive with the program: tar, tar.gz or tar.zst.', bundle)),
  io: v.optional(
    about('Protocol: lines on standard input and output, or MQTT.', oneOf(['lines', 'mqtt'])),
    'mqtt',
  ),
  env: v.optional(about('Environment variables in addition to PATH, HOME and LANG.', env), {}),
  secrets: v.optional(about('Secrets sealed for this device, by variable.', secrets), {}),
  desired: v.optional(about('Desired properties, passed as JSON in SKERRY_DESIRED.', desired)),
  restart: v.optional(
    about('Restart policy.', oneOf(['never', 'on-failure', 'on-unhealthy', 'always'])),
    'always',
  ),
  startupOrder: v.optional(
    about('Startup order: lower starts first and stops last.', whole(-MAX_STARTUP_ORDER, MAX_STARTUP_ORDER)),
    0,
  ),
  stopSignal: v.optional(
    about(
      'Signal that stops the module.',
      oneOf(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL']),
    ),
    'SIGTERM',
  ),
  stopGraceSeconds: v.optional(about('Grace period in seconds before SIGKILL.', seconds(0, 3600)), 10),
  tty: v.optional(
    about('Runs the module on a terminal for "skerry attach"; all output is logged.', flag),
    false,
  ),
  ack: v.optional(
    about('With lines: each message is stored until the module prints {"ack": id}.', flag),
    false,
  ),
  backoff: v.optional(about('Restart back-off.', backoff), {}),
  health: v.optional(about('Health check.', health)),
  limits: v.optional(about('Resource limits, enforced by the kernel.', limits), {}),
  sandbox: v.optional(about('Sandbox level and network.', sandbox), 'none'),
  user: v.optional(about('User of the module: a name, a number, or "dynamic".', user)),
  devices: v.optional(
    about(
      'Device nodes that the module may use.',
      v.pipe(v.array(device, 'must be an array of devices'), jsonSchema({ uniqueItems: true })),
    ),
    [],
  ),
  require: v.optional(
    about(
      'True if the module must not start when a limit or a part of its sandbox cannot be enforced.',
      flag,
    ),
    false,
  ),
  ...topicLists,
});
