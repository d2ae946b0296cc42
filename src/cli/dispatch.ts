import { Failure } from '../core/errors.ts';
import { closestName } from '../core/text/closest-name.ts';
import { asksForHelp } from './arguments.ts';
import { helpOf, overview } from './reference/formats/help.ts';
import { HELP, VERSION_COMMAND } from './reference/program.ts';
import { COMMANDS, type CommandName, type Entry, findCommand, verbsOf } from './reference/table.ts';
import { writeRaw } from './system.ts';

type Command = {
  /** Runs the command. Resolves to the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
};

/**
 * Functions that load the code of each command. The command `up` is missing, because it is a separate
 * program.
 */
const LOADERS: Readonly<Record<Exclude<CommandName, 'up'>, () => Promise<Command>>> = {
  ps: () => import('./commands/hub/ps.ts'),
  check: () => import('./commands/hub/check.ts'),
  bench: () => import('./commands/bench/bench.ts'),
  apply: () => import('./commands/deployments/apply.ts'),
  pack: () => import('./commands/deployments/pack.ts'),
  import: () => import('./commands/deployments/import.ts'),
  schema: () => import('./commands/deployments/schema.ts'),
  provision: () => import('./commands/provisioning/provision.ts'),
  logs: () => import('./commands/modules/logs.ts'),
  start: async () => ({ run: (await import('./commands/modules/control.ts')).start }),
  stop: async () => ({ run: (await import('./commands/modules/control.ts')).stop }),
  restart: async () => ({ run: (await import('./commands/modules/control.ts')).restart }),
  attach: () => import('./commands/modules/attach.ts'),
  pub: () => import('./commands/clients/pub.ts'),
  sub: () => import('./commands/clients/sub.ts'),
  queue: () => import('./commands/queues/queue.ts'),
  'queue peek': () => import('./commands/queues/peek.ts'),
  'queue drop': () => import('./commands/queues/drop.ts'),
  'queue dead': () => import('./commands/queues/dead.ts'),
  'queue dead replay': async () => ({ run: (await import('./commands/queues/dead-letters.ts')).replay }),
  'queue dead drop': async () => ({ run: (await import('./commands/queues/dead-letters.ts')).drop }),
  routes: () => import('./commands/routes/routes.ts'),
  'routes check': () => import('./commands/routes/check.ts'),
  'routes test': () => import('./commands/routes/test.ts'),
  'routes explain': () => import('./commands/routes/explain.ts'),
  'routes replay': () => import('./commands/routes/replay.ts'),
  sessions: () => import('./commands/holders/sessions.ts'),
  'sessions show': () => import('./commands/holders/sessions-show.ts'),
  'sessions drop': () => import('./commands/holders/sessions-drop.ts'),
  clients: () => import('./commands/holders/clients.ts'),
  'clients kick': () => import('./commands/holders/clients-kick.ts'),
  retained: () => import('./commands/holders/retained.ts'),
  'retained list': () => import('./commands/holders/retained.ts'),
  'retained clear': () => import('./commands/holders/retained-clear.ts'),
  passwd: () => import('./commands/security/passwd.ts'),
  seal: () => import('./commands/security/seal.ts'),
  keygen: () => import('./commands/security/keygen.ts'),
  trust: () => import('./commands/security/trust.ts'),
  sign: () => import('./commands/security/sign.ts'),
  verify: () => import('./commands/security/verify.ts'),
  help: () => Promise.resolve({ run: help }),
  version: () => import('./commands/program/version.ts'),
  completion: () => import('./commands/program/completion.ts'),
  man: () => import('./commands/program/man.ts'),
};

/** Words that print the help instead of running a command. */
const HELP_WORDS = ['--help', '-h', '-?'];

/** Words that print the version instead of running a command. */
const VERSION_WORDS = ['--version', '-V', '-v'];

/** Runs the command that the first words name. Throws Failure `usage` if there is no such command. */
export async function dispatch(args: readonly string[]): Promise<number> {
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
      throw unknown(`Options come after the command, and "${word}" is not one.`, undefined);
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

/** Returns the name of the command whose last word or synonym is most similar to `word`. */
function nearestOf(word: string, entries: readonly Entry[]): string | undefined {
  const names = new Map<string, string>();
  for (const { name, synonyms = [] } of entries)
    for (const known of [...synonyms, name.split(' ').at(-1) ?? '']) names.set(known, name);
  return names.get(closestName(word, names.keys()) ?? '');
}

function unknown(complaint: string, meant: string | undefined): Failure {
  const hint = meant === undefined ? 'See "skerry help".' : `Did you mean "skerry ${meant}"?`;
  return new Failure('usage', `${complaint} ${hint}`);
}
