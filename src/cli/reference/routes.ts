import { DIALECTS } from '../../routes/dialect.ts';
import {
  type ArgumentDefinition,
  DATA,
  type Definition,
  JSON_OUTPUT,
  type OptionDefinition,
} from './definition.ts';

const ROUTE = { name: 'route', about: 'Text of a route, in quotes.' } as const satisfies ArgumentDefinition;

const DIALECT = {
  type: 'string',
  value: 'NAME',
  choices: DIALECTS,
  about: 'Dialect of the route. Default: skerry.',
} as const satisfies OptionDefinition;

export const ROUTES = {
  name: 'routes',
  group: 'messages',
  summary: 'Lists the routes of the running hub, with how many messages each matched.',
  role: 'view',
  requests: ['status'],
  arguments: [],
  options: { json: JSON_OUTPUT, data: DATA },
  examples: [{ line: 'skerry routes', about: 'List them.' }],
  synonyms: ['route'],
} as const satisfies Definition;

export const ROUTES_CHECK = {
  name: 'routes check',
  group: 'messages',
  summary: 'Compiles one route, or all routes of a manifest, and prints errors with their position.',
  role: 'local',
  arguments: [
    {
      name: 'route | manifest.json',
      completes: 'file',
      about: 'Text of a route, in quotes, or a manifest: a file whose name ends in .json.',
    },
  ],
  options: { dialect: DIALECT, json: JSON_OUTPUT },
  exitCodes: { 0: 'All routes are good; there may be warnings.', 2: 'A route is refused.' },
  examples: [
    { line: 'skerry routes check manifest.json', about: 'Check the routes of a manifest.' },
    { line: "skerry routes check 'FROM /messages/* INTO $upstream'", about: 'Check one route.' },
  ],
  synonyms: ['validate', 'lint'],
} as const satisfies Definition;

export const ROUTES_TEST = {
  name: 'routes test',
  group: 'messages',
  summary: 'Tests whether a route matches a message.',
  details: [
    'It prints `true`, `false`, `undefined` or `error`, as the condition is, or `source` if the source of ' +
      'the route does not match; with --messages one line for each message.',
  ],
  role: 'local',
  arguments: [ROUTE],
  options: {
    message: {
      type: 'string',
      value: 'JSON',
      about: 'Message: an object with "topic", "module", "output", "body", "properties", ...',
    },
    messages: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      about: 'File with one message a line; "-" is standard input.',
    },
    dialect: DIALECT,
    json: { type: 'boolean', about: 'Print an object for each message.' },
  },
  exitCodes: {
    0: 'The route matches every message.',
    1: 'The route does not match a message: false, undefined, error or source.',
    2: 'The route or a message is refused.',
  },
  examples: [
    {
      line: `skerry routes test 'FROM /* WHERE $body.t > 30 INTO $upstream' --message '{"body":{"t":31}}'`,
      about: 'Test one message.',
    },
  ],
} as const satisfies Definition;

export const ROUTES_EXPLAIN = {
  name: 'routes explain',
  group: 'messages',
  summary: 'Explains for one message why each route matches it or not.',
  role: 'view',
  requests: ['routes explain'],
  arguments: [],
  options: {
    message: {
      type: 'string',
      value: 'JSON',
      required: true,
      about: 'Message, as `skerry routes test` has it.',
    },
    route: { type: 'string', value: 'NAME', about: 'Explain this route alone.' },
    manifest: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      about: 'Explain the routes of a manifest, and ask no hub.',
    },
    json: JSON_OUTPUT,
    data: DATA,
  },
  examples: [
    {
      line: `skerry routes explain --message '{"topic":"a/b","body":{"t":31}}' --manifest manifest.json`,
      about: 'Explain the routes of a manifest.',
    },
  ],
  synonyms: ['why'],
} as const satisfies Definition;

export const ROUTES_REPLAY = {
  name: 'routes replay',
  group: 'messages',
  summary: 'Reports which of the messages that the running hub still holds a route would have matched.',
  role: 'view',
  requests: ['routes replay'],
  arguments: [ROUTE],
  options: {
    since: { type: 'string', value: 'TIME', about: 'Messages of the last "90s", "2h", "7d". Default: all.' },
    json: JSON_OUTPUT,
    data: DATA,
  },
  examples: [
    {
      line: "skerry routes replay 'FROM /* WHERE $body.t > 30 INTO $upstream' --since 1h",
      about: 'Try a route.',
    },
  ],
} as const satisfies Definition;
