import {
  type ArgumentDefinition,
  DATA,
  type Definition,
  JSON_OUTPUT,
  type OptionDefinition,
} from './definition.ts';

const COUNT = {
  type: 'string',
  short: 'n',
  value: 'N',
  default: '50',
  about: 'Rows to show.',
} as const satisfies OptionDefinition;

const SESSION_ID = {
  name: 'id',
  about: 'Session, by its ID in `skerry sessions`, or by a client identifier that only one has.',
} as const satisfies ArgumentDefinition;

const LIST_OPTIONS = { count: COUNT, json: JSON_OUTPUT, data: DATA } as const;

export const SESSIONS = {
  name: 'sessions',
  group: 'clients',
  summary: 'Lists the MQTT sessions, those of the largest holder first.',
  role: 'view',
  requests: ['sessions'],
  arguments: [],
  options: LIST_OPTIONS,
  examples: [{ line: 'skerry sessions', about: 'Show whose sessions take most, and what waits in them.' }],
} as const satisfies Definition;

export const SESSIONS_SHOW = {
  name: 'sessions show',
  group: 'clients',
  summary: 'Shows one session with its subscriptions.',
  role: 'view',
  requests: ['sessions show'],
  arguments: [SESSION_ID],
  options: { json: JSON_OUTPUT, data: DATA },
  examples: [
    { line: 'skerry sessions show user:kitchen:display', about: 'Show what a client is subscribed to.' },
  ],
} as const satisfies Definition;

export const SESSIONS_DROP = {
  name: 'sessions drop',
  group: 'clients',
  summary: 'Ends sessions, with their connections and all that waits for them.',
  role: 'operate',
  requests: ['sessions drop', 'sessions drop all'],
  arguments: [{ ...SESSION_ID, optional: true, multiple: true }],
  options: {
    holder: {
      type: 'string',
      value: 'HOLDER',
      about: 'End all sessions of a holder, by its name in `skerry sessions`.',
    },
    data: DATA,
  },
  examples: [
    { line: 'skerry sessions drop user:kitchen:display', about: 'End one session.' },
    { line: 'skerry sessions drop --holder user:kitchen', about: 'End all sessions of a user.' },
  ],
} as const satisfies Definition;

export const CLIENTS = {
  name: 'clients',
  group: 'clients',
  summary: 'Lists the connected clients, those of the largest holder first.',
  role: 'view',
  requests: ['clients'],
  arguments: [],
  options: LIST_OPTIONS,
  examples: [{ line: 'skerry clients -n 10', about: 'Show the first ten clients of the largest holder.' }],
  synonyms: ['connections'],
} as const satisfies Definition;

export const CLIENTS_KICK = {
  name: 'clients kick',
  group: 'clients',
  summary: 'Closes the connections of clients, which may connect again.',
  role: 'operate',
  requests: ['clients kick'],
  arguments: [
    {
      name: 'id',
      multiple: true,
      about: 'Client, by its ID in `skerry clients`, or by a client identifier that only one has.',
    },
  ],
  options: { data: DATA },
  examples: [{ line: 'skerry clients kick display', about: 'Close the connection of a client.' }],
  synonyms: ['disconnect'],
} as const satisfies Definition;

export const RETAINED = {
  name: 'retained',
  group: 'clients',
  summary: 'Lists the retained messages, those of the largest holder first.',
  role: 'view',
  requests: ['retained'],
  arguments: [],
  options: LIST_OPTIONS,
  examples: [{ line: 'skerry retained', about: 'Show whose retained messages take most.' }],
} as const satisfies Definition;

export const RETAINED_LIST = {
  ...RETAINED,
  name: 'retained list',
  examples: [{ line: 'skerry retained list --json', about: 'Print topics, holders and bytes as JSON.' }],
} as const satisfies Definition;

export const RETAINED_CLEAR = {
  name: 'retained clear',
  group: 'clients',
  summary: 'Removes the retained messages whose topics match a filter.',
  role: 'operate',
  requests: ['retained clear'],
  arguments: [{ name: 'filter', about: 'Topic filter, such as `a/b` or `a/#`.' }],
  options: { data: DATA },
  examples: [{ line: "skerry retained clear 'old/#'", about: 'Remove a tree of retained messages.' }],
} as const satisfies Definition;
