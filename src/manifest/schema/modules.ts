import * as v from 'valibot';
import { MAX_STARTUP_ORDER, MIN_MODULE_MEMORY } from '../../core/manifest-limits.ts';
import { topicLists } from './access.ts';
import { bundle, secrets } from './deployment.ts';
import { desired } from './desired.ts';
import {
  about,
  byName,
  choice,
  flag,
  meant,
  number,
  object,
  oneOf,
  seconds,
  sizeFrom,
  stated,
  text,
  variable,
  whole,
} from './fields.ts';

/** What the system can be told of: a C string. */
const WITHOUT_NUL = '^[^\\u0000]*$';

const argument = v.pipe(
  text,
  v.check(word => !word.includes('\0'), 'must not contain a NUL'),
  stated({ pattern: WITHOUT_NUL }),
);

const command = v.pipe(
  v.array(argument, 'must be a list of the program and its arguments'),
  v.check(list => (list[0] ?? '') !== '', 'must name the program to run'),
  stated({ minItems: 1, prefixItems: [{ type: 'string', minLength: 1, pattern: WITHOUT_NUL }] }),
);

const backoff = object({
  firstSeconds: v.optional(about('The wait before it is started again,', seconds(0.1, 3600)), 1),
  factor: v.optional(about('each time so many times longer,', number(1, 10)), 2),
  mostSeconds: v.optional(about('up to this.', seconds(0.1, 86_400)), 60),
  resetSeconds: v.optional(
    about(
      'After a run of this length it is started again at once, and the ends before are forgotten.',
      seconds(1, 86_400),
    ),
    60,
  ),
});

const health = v.pipe(
  object({
    exec: v.optional(about('It is well if this program ends with exit code 0.', command)),
    tcp: v.optional(about('It is well if this port of the machine takes a connection.', whole(1, 65_535))),
    mqtt: v.optional(about('It says so itself, over MQTT.', flag)),
    everySeconds: v.optional(about('Time between two checks.', seconds(0.1, 3600)), 10),
    timeoutSeconds: v.optional(about('Time that a check may take.', seconds(0.1, 3600)), 5),
    threshold: v.optional(about('Checks in a row that fail before it is unhealthy.', whole(1, 100)), 3),
    readySeconds: v.optional(
      about('How long the modules behind it in the start order wait for it to be ready.', seconds(0, 3600)),
      30,
    ),
  }),
  v.check(
    ({ exec, tcp, mqtt }) =>
      [exec, tcp, mqtt === true || undefined].filter(one => one !== undefined).length === 1,
    'must name one of "exec", "tcp" and "mqtt": true',
  ),
  stated({
    oneOf: [
      { required: ['exec'] },
      { required: ['tcp'] },
      { required: ['mqtt'], properties: { mqtt: { const: true } } },
    ],
  }),
);

const memory = sizeFrom(MIN_MODULE_MEMORY, 'must be at least "1M": no program starts in less');

const limits = object({
  memory: v.optional(about('Memory, at most: beyond it the module is killed.', memory)),
  memoryHigh: v.optional(about('Beyond this it is slowed down and its memory reclaimed.', memory)),
  cpu: v.optional(
    about('Processors: 0.5 is half of one.', number(0.01, 1024, 'must be a number of processors')),
  ),
  pids: v.optional(about('Processes and threads, at most.', whole(1, 4_194_304))),
  ioWeight: v.optional(about('Its share of a disk that is busy; usually 100.', whole(1, 10_000))),
});

const LEVELS = ['none', 'standard', 'strict'] as const;

const sandbox = v.pipe(
  v.union(
    [
      oneOf(LEVELS),
      object({
        level: about('What it is kept from.', oneOf(LEVELS)),
        network: v.optional(
          about('none: it reaches nothing but the hub, by a Unix socket.', oneOf(['host', 'none'])),
          'host',
        ),
      }),
    ],
    ({ input }) =>
      typeof input === 'string'
        ? `must be ${choice(LEVELS)}${meant(input, LEVELS)}`
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
    v.string('must be a text in quotes'),
    v.check(word => !word.includes('\0'), 'must not contain a NUL'),
    stated({ pattern: WITHOUT_NUL }),
  ),
  'must be an object of texts by variables',
);

/** One module as it is written. */
export const module = object({
  exec: about(
    "Program and arguments; a path with a slash starts at the manifest's folder, or in the bundle.",
    command,
  ),
  bundle: v.optional(about('An archive that holds the program: tar, tar.gz or tar.zst.', bundle)),
  io: v.optional(
    about('How it speaks: lines on its standard output and input, or MQTT.', oneOf(['lines', 'mqtt'])),
    'mqtt',
  ),
  env: v.optional(about('Its environment, beside PATH, HOME and LANG.', env), {}),
  secrets: v.optional(about('Variables with values that are sealed for this device.', secrets), {}),
  desired: v.optional(about('What it is to be told: it has this as JSON in SKERRY_DESIRED.', desired)),
  restart: v.optional(
    about('When it is started again.', oneOf(['never', 'on-failure', 'on-unhealthy', 'always'])),
    'always',
  ),
  startupOrder: v.optional(
    about('Lower starts first, and is waited for; stops last.', whole(-MAX_STARTUP_ORDER, MAX_STARTUP_ORDER)),
    0,
  ),
  stopSignal: v.optional(
    about(
      'The signal that asks it to end.',
      oneOf(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL']),
    ),
    'SIGTERM',
  ),
  stopGraceSeconds: v.optional(about('How long it has to end before it is killed.', seconds(0, 3600)), 10),
  tty: v.optional(about('Run it on a terminal, for "skerry attach"; all it prints is log.', flag), false),
  ack: v.optional(about('With lines: a message for it is kept until it prints {"ack": id}.', flag), false),
  backoff: v.optional(about('Waits before it is started again.', backoff), {}),
  health: v.optional(about('How it is told that it is ready and well.', health)),
  limits: v.optional(about('Bounds that the kernel keeps it in.', limits), {}),
  sandbox: v.optional(about('What it is kept from.', sandbox), 'none'),
  user: v.optional(about('Who it runs as: the name of a user, its number, or "dynamic".', user)),
  devices: v.optional(
    about(
      'Device nodes that it may use.',
      v.pipe(v.array(device, 'must be a list of devices'), stated({ uniqueItems: true })),
    ),
    [],
  ),
  require: v.optional(
    about('Do not start it where a limit or a part of its sandbox does not hold.', flag),
    false,
  ),
  ...topicLists,
});
