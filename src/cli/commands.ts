import { Failure } from '../core/errors.ts';
import { nearestName } from '../core/nearest.ts';
import { asksForHelp } from './arguments.ts';
import { writeRaw } from './edge.ts';
import { helpOf, overview } from './reference/help.ts';
import { HELP, VERSION_COMMAND } from './reference/program.ts';
import { COMMANDS, type CommandName, type Entry, findCommand, verbsOf } from './reference/table.ts';

type Command = {
  /** Resolves to the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
};

/** The code of each command, loaded when it is asked for. `up` is a program by itself. */
const LOADERS: Readonly<Record<Exclude<CommandName, 'up'>, () => Promise<Command>>> = {
  ps: () => import('./ps.ts'),
  check: () => import('./check.ts'),
  apply: () => import('./apply.ts'),
  pack: () => import('./pack.ts'),
  import: () => import('./import.ts'),
  schema: () => import('./schema.ts'),
  logs: () => import('./logs.ts'),
  start: () => import('./start.ts'),
  stop: () => import('./stop.ts'),
  restart: () => import('./restart.ts'),
  attach: () => import('./attach.ts'),
  pub: () => import('./client/pub.ts'),
  sub: () => import('./client/sub.ts'),
  queue: () => import('./queue.ts'),
  'queue peek': () => import('./queue-peek.ts'),
  'queue drop': () => import('./queue-drop.ts'),
  'queue dead': () => import('./queue-dead.ts'),
  'queue dead replay': () => import('./queue-dead-replay.ts'),
  'queue dead drop': () => import('./queue-dead-drop.ts'),
  routes: () => import('./routes.ts'),
  'routes check': () => import('./routes-check.ts'),
  'routes test': () => import('./routes-test.ts'),
  'routes explain': () => import('./routes-explain.ts'),
  'routes replay': () => import('./routes-replay.ts'),
  sessions: () => import('./holders/sessions.ts'),
  'sessions show': () => import('./holders/sessions-show.ts'),
  'sessions drop': () => import('./holders/sessions-drop.ts'),
  clients: () => import('./holders/clients.ts'),
  'clients kick': () => import('./holders/clients-kick.ts'),
  retained: () => import('./holders/retained.ts'),
  'retained list': () => import('./holders/retained.ts'),
  'retained clear': () => import('./holders/retained-clear.ts'),
  passwd: () => import('./passwd.ts'),
  seal: () => import('./seal.ts'),
  keygen: () => import('./keygen.ts'),
  trust: () => import('./trust.ts'),
  sign: () => import('./sign.ts'),
  verify: () => import('./verify.ts'),
  help: () => Promise.resolve({ run: help }),
  version: () => import('./version.ts'),
  completion: () => import('./completion.ts'),
  man: () => import('./man.ts'),
};

/** Words that people write instead of a command. */
const HELP_WORDS = ['--help', '-h', '-?'];
const VERSION_WORDS = ['--version', '-V', '-v'];

/** Runs the command that the first words name. Throws Failure `usage` if there is none. */
export async function command(args: readonly string[]): Promise<number> {
  const [word] = args;
  if (word === undefined) {
    writeRaw(overview());
    return 2;
  }
  if (HELP_WORDS.includes(word)) return help(args.slice(1));
  if (VERSION_WORDS.includes(word)) return (await LOADERS[VERSION_COMMAND.name]()).run(args.slice(1));
  const { entry, rest } = entryOf(args);
  if (entry.name === 'up' || asksForHelp(entry, rest)) {
    writeRaw(helpOf(entry));
    return 0;
  }
  return (await LOADERS[entry.name]()).run(rest);
}

async function help(words: readonly string[]): Promise<number> {
  if (words.length === 0) writeRaw(overview());
  else if (asksForHelp(HELP, words)) writeRaw(helpOf(HELP));
  else writeRaw(helpOf(entryOf(words).entry));
  return 0;
}

function entryOf(words: readonly string[]): { entry: Entry; rest: readonly string[] } {
  const [word = ''] = words;
  const found = findCommand(words);
  if (found === undefined) {
    if (word.startsWith('-'))
      throw unknown(`Options come after the command, and "${word}" is none.`, undefined);
    throw unknown(`There is no command "${word}".`, nearestOf(word, COMMANDS));
  }
  const { entry, rest } = found;
  const [next] = rest;
  const verbs = verbsOf(entry.name);
  if (next === undefined || next.startsWith('-') || entry.arguments.length > 0 || verbs.length === 0)
    return found;
  const beneath = COMMANDS.filter(({ name }) => name.startsWith(`${entry.name} `));
  const meant = nearestOf(next, beneath);
  throw unknown(`There is no command "${entry.name} ${next}".`, meant);
}

/** The command whose last word, or a synonym of it, is the nearest to `word`. */
function nearestOf(word: string, entries: readonly Entry[]): string | undefined {
  const names = new Map<string, string>();
  for (const { name, synonyms = [] } of entries)
    for (const known of [...synonyms, name.split(' ').at(-1) ?? '']) names.set(known, name);
  return names.get(nearestName(word, names.keys()) ?? '');
}

function unknown(complaint: string, meant: string | undefined): Failure {
  const hint = meant === undefined ? 'See "skerry help".' : `Did you mean "skerry ${meant}"?`;
  return new Failure('usage', `${complaint} ${hint}`);
}
