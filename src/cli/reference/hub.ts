import { DATA, type Definition, JSON_OUTPUT } from './definition.ts';

export const PS = {
  name: 'ps',
  group: 'hub',
  summary: 'Lists the modules and the upstreams of the running hub.',
  role: 'view',
  requests: ['status'],
  arguments: [],
  options: { json: JSON_OUTPUT, data: DATA },
  examples: [
    { line: 'skerry ps', about: 'Show state, uptime, restarts and memory of each module.' },
    { line: 'skerry ps --json --data ./data', about: 'Print everything that the hub reports about itself.' },
  ],
  synonyms: ['status', 'list', 'ls', 'modules', 'info', 'top'],
} as const satisfies Definition;

export const CHECK = {
  name: 'check',
  group: 'hub',
  summary: 'Checks the disk, the hub, its store, modules, routes, upstreams and certificates.',
  role: 'view',
  requests: ['status', 'certificates'],
  arguments: [],
  options: { json: JSON_OUTPUT, data: DATA },
  exitCodes: { 0: 'Everything is well.', 1: 'There is a problem: each is a line of the output.' },
  examples: [{ line: 'skerry check || logger "skerry needs attention"', about: 'Use it from a timer.' }],
  synonyms: ['doctor', 'health', 'diagnose'],
} as const satisfies Definition;
