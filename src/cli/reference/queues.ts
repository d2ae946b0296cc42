import {
  type ArgumentDefinition,
  DATA,
  type Definition,
  JSON_OUTPUT,
  type OptionDefinitions,
} from './definition.ts';

const QUEUE_NAME = {
  name: 'queue',
  about: 'Queue, by its name in `skerry queue`.',
} as const satisfies ArgumentDefinition;

const LETTERS = {
  name: 'id',
  optional: true,
  multiple: true,
  about: 'Dead letters, by their ID in `skerry queue dead`.',
} as const satisfies ArgumentDefinition;

const LETTER_OPTIONS = {
  all: { type: 'boolean', about: 'Choose all dead letters.' },
  data: DATA,
} as const satisfies OptionDefinitions;

export const QUEUE = {
  name: 'queue',
  group: 'messages',
  summary: 'Lists the queues of the running hub, with how much waits and for how long.',
  role: 'view',
  requests: ['status'],
  arguments: [],
  options: { json: JSON_OUTPUT, data: DATA },
  examples: [{ line: 'skerry queue', about: 'Show depth, size and age of each queue.' }],
  synonyms: ['queues', 'backlog'],
} as const satisfies Definition;

export const QUEUE_PEEK = {
  name: 'queue peek',
  group: 'messages',
  summary: 'Shows the first messages of a queue, in the order of delivery, and removes none.',
  role: 'view',
  requests: ['queue peek'],
  arguments: [QUEUE_NAME],
  options: {
    count: { type: 'string', short: 'n', value: 'N', default: '10', about: 'Messages to show.' },
    json: JSON_OUTPUT,
    data: DATA,
  },
  examples: [{ line: "skerry queue peek '$upstream' -n 3", about: 'Show the next three messages to go up.' }],
} as const satisfies Definition;

export const QUEUE_DROP = {
  name: 'queue drop',
  group: 'messages',
  summary: 'Removes messages from a queue.',
  details: ['With --all it removes every message that is not being delivered at the moment.'],
  role: 'operate',
  requests: ['queue drop', 'queue drop all'],
  arguments: [
    QUEUE_NAME,
    {
      name: 'number',
      optional: true,
      multiple: true,
      about: 'Messages, by their NUMBER in `skerry queue peek`.',
    },
  ],
  options: { all: { type: 'boolean', about: 'Remove all messages.' }, data: DATA },
  examples: [{ line: "skerry queue drop '$upstream' --all", about: 'Empty the queue of the upstream.' }],
} as const satisfies Definition;

export const QUEUE_DEAD = {
  name: 'queue dead',
  group: 'messages',
  summary: 'Lists the dead letters: messages that could not be delivered, and why.',
  role: 'view',
  requests: ['queue dead'],
  arguments: [],
  options: { json: JSON_OUTPUT, data: DATA },
  examples: [{ line: 'skerry queue dead', about: 'List them.' }],
  synonyms: ['dead', 'letters'],
} as const satisfies Definition;

export const QUEUE_DEAD_REPLAY = {
  name: 'queue dead replay',
  group: 'messages',
  summary: 'Puts dead letters back at the end of their queues.',
  role: 'operate',
  requests: ['queue dead', 'queue dead replay'],
  arguments: [LETTERS],
  options: LETTER_OPTIONS,
  examples: [{ line: 'skerry queue dead replay --all', about: 'Try all of them again.' }],
} as const satisfies Definition;

export const QUEUE_DEAD_DROP = {
  name: 'queue dead drop',
  group: 'messages',
  summary: 'Removes dead letters.',
  role: 'operate',
  requests: ['queue dead', 'queue dead drop'],
  arguments: [LETTERS],
  options: LETTER_OPTIONS,
  examples: [{ line: 'skerry queue dead drop --all', about: 'Remove all of them.' }],
} as const satisfies Definition;
