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

export const BENCH = {
  name: 'bench',
  group: 'hub',
  summary: 'Measures what this device can store: flush latency, durable messages per second, wear.',
  details: [
    'The measurement uses the disk of the data folder and a folder of its own there, which it removes. It can ' +
      'run beside a hub. Both are slower meanwhile.',
    'The wear is the writes of the hub for messages that cannot be delivered. What the file system and the ' +
      'controller of the card write in addition is not included.',
  ],
  role: 'local',
  arguments: [],
  options: {
    rate: {
      type: 'string',
      value: 'N',
      default: '10',
      about: 'Messages per second for which the wear is computed.',
    },
    size: { type: 'string', value: 'SIZE', default: '256', about: 'Bytes of a message.' },
    endurance: {
      type: 'string',
      value: 'SIZE',
      default: '5T',
      about: 'Bytes that the card or disk can take in its life, from its data sheet.',
    },
    seconds: {
      type: 'string',
      value: 'N',
      default: '5',
      about: 'Seconds of each of the three measurements.',
    },
    json: JSON_OUTPUT,
    data: DATA,
  },
  examples: [
    { line: 'skerry bench', about: 'Measure this device.' },
    { line: 'skerry bench --rate 100 --endurance 40T', about: 'Compute the wear of an industrial card.' },
  ],
  synonyms: ['benchmark', 'measure', 'speed', 'selftest'],
} as const satisfies Definition;
