import type { Refused } from './entry.ts';
import { beyondSchema, exec, refused, sha256 } from './entry.ts';

const module = (more: object): object => ({ modules: { m: { exec, ...more } } });

export const MODULES: readonly Refused[] = [
  refused(module({ restat: 'always' }), 'modules.m.restat is an unknown field: did you mean "restart"?'),
  refused(module({ colour: 'red' }), 'modules.m.colour is an unknown field'),
  refused(
    module({ exec: './m' }),
    'modules.m.exec must be an array of the program and its arguments, and is a string',
  ),
  refused(module({ exec: [] }), 'modules.m.exec must name the program to run'),
  refused(module({ exec: [''] }), 'modules.m.exec must name the program to run'),
  refused(module({ exec: ['a', 1] }), 'modules.m.exec[1] must be a string, and is a number'),
  refused(module({ exec: ['a', 'b\0'] }), 'modules.m.exec[1] must not contain a NUL'),
  refused(module({ io: 'line' }), 'modules.m.io must be "lines" or "mqtt": did you mean "lines"?'),
  refused(
    module({ restart: 'alway' }),
    'modules.m.restart must be "never", "on-failure", "on-unhealthy" or "always": did you mean "always"?',
  ),
  refused(
    module({ restart: 'perhaps' }),
    'modules.m.restart must be "never", "on-failure", "on-unhealthy" or "always"',
  ),
  refused(module({ env: [] }), 'modules.m.env must be an object of strings by variable name'),
  refused(module({ env: { PORT: 80 } }), 'modules.m.env.PORT must be a string, and is a number'),
  refused(
    module({ env: { '1ST': 'a' } }),
    'modules.m.env.1ST is not a valid variable name: use letters, digits and "_", not starting with a digit',
  ),
  refused(
    module({ env: { SKERRY_TOKEN: 'a' } }),
    `modules.m.env.SKERRY_TOKEN begins with "SKERRY_", which is reserved for the hub`,
  ),
  refused(module({ env: { A: 'a\0' } }), 'modules.m.env.A must not contain a NUL'),
  refused(
    module({ secrets: { A: 'hunter2' } }),
    'modules.m.secrets.A must be what "skerry seal" prints: it begins with "sealed:"',
  ),
  refused(
    module({ secrets: { A: { sealed: 'sealed:AA==', as: 'fil' } } }),
    'modules.m.secrets.A.as must be "variable" or "file": did you mean "file"?',
  ),
  refused(
    module({ secrets: { A: 5 } }),
    'modules.m.secrets.A must be what "skerry seal" prints, or an object with "sealed" and "as"',
  ),
  refused(
    module({ secrets: { SKERRY_RUN: 'sealed:AA==' } }),
    `modules.m.secrets.SKERRY_RUN begins with "SKERRY_", which is reserved for the hub`,
  ),
  beyondSchema(
    module({ env: { A: 'a' }, secrets: { A: 'sealed:AA==' } }),
    'modules.m.secrets.A is also in "env"',
  ),
  refused(module({ startupOrder: 1.5 }), 'modules.m.startupOrder must be an integer'),
  refused(module({ startupOrder: 2 ** 32 + 1 }), 'modules.m.startupOrder must be at most 4294967296'),
  refused(
    module({ stopSignal: 'SIGTREM' }),
    'modules.m.stopSignal must be "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2" or "SIGKILL": did you mean "SIGTERM"?',
  ),
  refused(
    module({ stopGraceSeconds: '10' }),
    'modules.m.stopGraceSeconds must be a number of seconds, and is a string',
  ),
  refused(module({ stopGraceSeconds: -1 }), 'modules.m.stopGraceSeconds must be at least 0'),
  refused(module({ tty: 'yes' }), 'modules.m.tty must be true or false, and is a string'),
  beyondSchema(module({ ack: true }), 'modules.m.ack requires "io": "lines"'),
  beyondSchema(
    module({ io: 'lines', ack: true, tty: true }),
    'modules.m.ack cannot be combined with "tty", because all its output is logged',
  ),
  refused(module({ backoff: { factor: 0.5 } }), 'modules.m.backoff.factor must be at least 1'),
  refused(module({ backoff: { factor: 11 } }), 'modules.m.backoff.factor must be at most 10'),
  beyondSchema(
    module({ backoff: { firstSeconds: 90 } }),
    'modules.m.backoff.mostSeconds is 60, and must be at least "firstSeconds", which is 90',
  ),
  refused(module({ health: {} }), 'modules.m.health must name one of "exec", "tcp" and "mqtt": true'),
  refused(
    module({ health: { tcp: 80, mqtt: true } }),
    'modules.m.health must name one of "exec", "tcp" and "mqtt": true',
  ),
  refused(module({ health: { tcp: 65_536 } }), 'modules.m.health.tcp must be at most 65535'),
  refused(
    module({ health: { tcp: 80, treshold: 2 } }),
    'modules.m.health.treshold is an unknown field: did you mean "threshold"?',
  ),
  refused(
    module({ health: { tcp: 80, timeoutSeconds: 0 } }),
    'modules.m.health.timeoutSeconds must be at least 0.1',
  ),
  refused(module({ limits: { memory: 'much' } }), 'modules.m.limits.memory must be a size such as "512M"'),
  refused(module({ limits: { memory: '32MB' } }), 'modules.m.limits.memory must be a size such as "512M"'),
  refused(
    module({ limits: { memory: 0 } }),
    'modules.m.limits.memory must be at least "1M": no program starts in less',
  ),
  beyondSchema(
    module({ limits: { memory: '32M', memoryHigh: '1G' } }),
    'modules.m.limits.memoryHigh is "1G", and must be at most "memory", which is "32M"',
  ),
  refused(
    module({ limits: { cpu: 'half' } }),
    'modules.m.limits.cpu must be a number of processors, and is a string',
  ),
  refused(module({ limits: { cpus: 1 } }), 'modules.m.limits.cpus is an unknown field: did you mean "cpu"?'),
  refused(
    module({ sandbox: 'strickt' }),
    'modules.m.sandbox must be "none", "standard" or "strict": did you mean "strict"?',
  ),
  refused(
    module({ sandbox: ['strict'] }),
    'modules.m.sandbox must be "none", "standard" or "strict", or an object with "level" and "network"',
  ),
  refused(module({ sandbox: { network: 'none' } }), 'modules.m.sandbox.level is missing'),
  refused(
    module({ sandbox: { level: 'strict', network: 'nones' } }),
    'modules.m.sandbox.network must be "host" or "none": did you mean "none"?',
  ),
  refused(module({ sandbox: { level: 'strict', net: 'none' } }), 'modules.m.sandbox.net is an unknown field'),
  beyondSchema(
    module({ sandbox: { level: 'none', network: 'none' } }),
    'modules.m.sandbox.network requires "level": "standard" or "strict"',
  ),
  beyondSchema(
    module({ sandbox: { level: 'strict', network: 'none' }, health: { tcp: 80 } }),
    'modules.m.health.tcp cannot reach a module without a network: use "exec"',
  ),
  refused(module({ user: '' }), 'modules.m.user is empty'),
  refused(
    module({ devices: ['/dev/../etc/shadow'] }),
    'modules.m.devices[0] must be a device such as "/dev/i2c-1"',
  ),
  refused(module({ devices: ['/dev/i2c-1', '/dev/i2c-1'] }), 'modules.m.devices[1] is duplicated'),
  refused(module({ publish: 'a' }), 'modules.m.publish must be an array of topic filters, and is a string'),
  refused(module({ subscribe: [1] }), 'modules.m.subscribe[0] must be a topic filter, and is a number'),
  refused(
    module({ bundle: { sha256: 'abc' } }),
    'modules.m.bundle.sha256 must be the SHA-256 of the file: 64 digits of 0 to 9 and a to f',
  ),
  refused(module({ bundle: { from: 'a.tar' } }), 'modules.m.bundle.sha256 is missing'),
  refused(
    module({ bundle: { sha256, from: 'http://example.org/a.tar' } }),
    'modules.m.bundle.from must be a path or an address that begins with "https://"',
  ),
  refused(module({ bundle: { sha256, files: 0 } }), 'modules.m.bundle.files must be at least 1'),
];
