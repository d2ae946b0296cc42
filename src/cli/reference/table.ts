import { PUB, SUB } from './clients.ts';
import type { Definition, Group } from './definition.ts';
import { APPLY, IMPORT, PACK, PROVISION, SCHEMA } from './deployments.ts';
import {
  CLIENTS,
  CLIENTS_KICK,
  RETAINED,
  RETAINED_CLEAR,
  RETAINED_LIST,
  SESSIONS,
  SESSIONS_DROP,
  SESSIONS_SHOW,
} from './holders.ts';
import { BENCH, CHECK, PS } from './hub.ts';
import { ATTACH, LOGS, RESTART, START, STOP } from './modules.ts';
import { COMPLETION, HELP, MAN, VERSION_COMMAND } from './program.ts';
import { QUEUE, QUEUE_DEAD, QUEUE_DEAD_DROP, QUEUE_DEAD_REPLAY, QUEUE_DROP, QUEUE_PEEK } from './queues.ts';
import { ROUTES, ROUTES_CHECK, ROUTES_EXPLAIN, ROUTES_REPLAY, ROUTES_TEST } from './routes.ts';
import { KEYGEN, PASSWD, SEAL, SIGN, TRUST, VERIFY } from './security.ts';
import { UP } from './up.ts';

/** All commands, in the order in which the help and the reference list them. */
const ALL = [
  UP,
  PS,
  CHECK,
  BENCH,
  APPLY,
  PACK,
  IMPORT,
  SCHEMA,
  PROVISION,
  LOGS,
  START,
  STOP,
  RESTART,
  ATTACH,
  PUB,
  SUB,
  QUEUE,
  QUEUE_PEEK,
  QUEUE_DROP,
  QUEUE_DEAD,
  QUEUE_DEAD_REPLAY,
  QUEUE_DEAD_DROP,
  ROUTES,
  ROUTES_CHECK,
  ROUTES_TEST,
  ROUTES_EXPLAIN,
  ROUTES_REPLAY,
  SESSIONS,
  SESSIONS_SHOW,
  SESSIONS_DROP,
  CLIENTS,
  CLIENTS_KICK,
  RETAINED,
  RETAINED_LIST,
  RETAINED_CLEAR,
  PASSWD,
  SEAL,
  KEYGEN,
  TRUST,
  SIGN,
  VERIFY,
  HELP,
  VERSION_COMMAND,
  COMPLETION,
  MAN,
] as const;

export type CommandName = (typeof ALL)[number]['name'];

/** Definition of a command in the table. */
export type Entry = Definition & { readonly name: CommandName };

export const COMMANDS: readonly Entry[] = ALL;

export const GROUPS: Readonly<Record<Group, string>> = {
  hub: 'Hub',
  deployments: 'Deployments',
  modules: 'Modules',
  messages: 'Messages',
  clients: 'Clients',
  security: 'Security',
  program: 'This program',
};

export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'Done.',
  1: 'Failed.',
  2: 'Wrong usage, or a file that was refused.',
};

/**
 * Finds the command whose name consists of the first words. If several names match, returns the command with
 * the longest name. `rest` contains the remaining words.
 */
export function findCommand(words: readonly string[]): { entry: Entry; rest: readonly string[] } | undefined {
  for (let count = Math.min(words.length, MAX_WORDS); count > 0; count--) {
    const name = words.slice(0, count).join(' ');
    const entry = COMMANDS.find(one => one.name === name);
    if (entry !== undefined) return { entry, rest: words.slice(count) };
  }
  return undefined;
}

/** Maximum number of words in a command's name. */
const MAX_WORDS = Math.max(...ALL.map(({ name }) => name.split(' ').length));

/** Returns the verbs of a noun, such as `peek`, `drop` and `dead` of `queue`. */
export function verbsOf(noun: string): string[] {
  const verbs = COMMANDS.filter(({ name }) => name.startsWith(`${noun} `)).map(
    ({ name }) => name.slice(noun.length + 1).split(' ')[0] ?? '',
  );
  return [...new Set(verbs)];
}
