import { type ArgumentDefinition, DATA, type Definition } from './definition.ts';

const MODULE = {
  name: 'module',
  about: 'Module, by its name in the manifest.',
} as const satisfies ArgumentDefinition;

export const LOGS = {
  name: 'logs',
  group: 'modules',
  summary: "Prints the modules' logs in order of time.",
  details: ['It reads the log files, so the hub need not run.'],
  role: 'view',
  arguments: [{ ...MODULE, optional: true, multiple: true, about: 'Modules to show. Default: all.' }],
  options: {
    follow: { type: 'boolean', short: 'f', about: 'Print new lines until interrupted.' },
    lines: {
      type: 'string',
      short: 'n',
      value: 'N',
      about: 'Last N lines. Default: 100, and all with --since or --grep.',
    },
    since: {
      type: 'string',
      value: 'TIME',
      about: 'Lines since a time ago ("90s", "2h", "7d") or an ISO 8601 time.',
    },
    grep: { type: 'string', value: 'TEXT', about: 'Lines that contain a text.' },
    json: { type: 'boolean', about: 'Print an object for each line.' },
    data: DATA,
  },
  examples: [
    { line: 'skerry logs -f door', about: 'Follow the log of one module.' },
    { line: 'skerry logs --since 2h --grep error', about: 'Search the last two hours of all modules.' },
  ],
  synonyms: ['log', 'tail', 'journal'],
} as const satisfies Definition;

export const ATTACH = {
  name: 'attach',
  group: 'modules',
  summary: "Shows a module's terminal in this one, until Ctrl-].",
  role: 'admin',
  requests: ['attach'],
  arguments: [{ ...MODULE, about: 'Module that has `"tty": true` in the manifest.' }],
  options: {
    'read-only': { type: 'boolean', about: 'Only watch; Ctrl-C detaches, too.' },
    data: DATA,
  },
  examples: [{ line: 'skerry attach console --read-only', about: 'Watch a module.' }],
  synonyms: ['exec', 'shell', 'terminal', 'console'],
} as const satisfies Definition;

export const START = {
  name: 'start',
  group: 'modules',
  summary: 'Starts a module that was stopped.',
  role: 'operate',
  requests: ['start'],
  arguments: [MODULE],
  options: { data: DATA },
  examples: [{ line: 'skerry start door', about: 'Start the module "door".' }],
} as const satisfies Definition;

export const STOP = {
  name: 'stop',
  group: 'modules',
  summary: 'Stops a module until it is started again.',
  role: 'operate',
  requests: ['stop'],
  arguments: [MODULE],
  options: { data: DATA },
  examples: [{ line: 'skerry stop door', about: 'Stop the module "door".' }],
  synonyms: ['kill'],
} as const satisfies Definition;

export const RESTART = {
  name: 'restart',
  group: 'modules',
  summary: 'Stops a module and starts it again.',
  role: 'operate',
  requests: ['restart'],
  arguments: [MODULE],
  options: { data: DATA },
  examples: [{ line: 'skerry restart door', about: 'Restart the module "door".' }],
} as const satisfies Definition;
