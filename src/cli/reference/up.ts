import { DATA, type Definition } from './definition.ts';

/**
 * Definition of `up`. This definition has its own file, because the program of the hub must not contain the
 * definitions of all other commands.
 */
export const UP = {
  name: 'up',
  group: 'hub',
  summary: 'Runs the hub in the foreground until SIGINT or SIGTERM.',
  role: 'local',
  arguments: [
    {
      name: 'manifest',
      optional: true,
      completes: 'file',
      about: 'Manifest to run. Default: the one that was applied last.',
    },
  ],
  options: {
    name: {
      type: 'string',
      value: 'NAME',
      about:
        'Name of this device, for manifests with "for". Default: the name that `skerry provision` stored, else ' +
        'that of the manifest it runs.',
    },
    memory: {
      type: 'string',
      value: 'SIZE',
      about: 'Memory that the hub may take, such as "64M". Default: by its control group or the machine.',
    },
    'log-format': {
      type: 'string',
      value: 'FORMAT',
      default: 'text',
      choices: ['text', 'json'],
      about: 'Format of the log on standard error: lines of text, or one JSON object a line.',
    },
    data: DATA,
  },
  environment: {
    NOTIFY_SOCKET: 'Socket of a service manager, to which the hub reports that it listens (sd_notify).',
  },
  exitCodes: { 0: 'The hub was stopped by a signal.' },
  examples: [
    { line: 'skerry up manifest.json --data ./data', about: 'Run a manifest, with all state in ./data.' },
    { line: 'skerry up', about: 'Run what was applied last, as a service does.' },
  ],
  synonyms: ['run', 'serve', 'daemon', 'server', 'hub'],
} as const satisfies Definition;
