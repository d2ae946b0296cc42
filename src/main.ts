import { Failure, reasonOf } from './core/errors.ts';
import { VERSION } from './core/version.ts';

type Command = {
  readonly usage: string;
  /** Resolves to the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
};

/** Each command is loaded when it is asked for: `pub` opens no store, `ps` no broker. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: () => import('./cli/up.ts'),
  apply: () => import('./cli/apply.ts'),
  ps: () => import('./cli/ps.ts'),
  logs: () => import('./cli/logs.ts'),
  attach: () => import('./cli/attach.ts'),
  start: () => import('./cli/start.ts'),
  stop: () => import('./cli/stop.ts'),
  restart: () => import('./cli/restart.ts'),
  routes: () => import('./cli/routes.ts'),
  queue: () => import('./cli/queue.ts'),
  check: () => import('./cli/check.ts'),
  pack: () => import('./cli/pack.ts'),
  schema: () => import('./cli/schema.ts'),
  import: () => import('./cli/import.ts'),
  passwd: () => import('./cli/passwd.ts'),
  keygen: () => import('./cli/keygen.ts'),
  trust: () => import('./cli/trust.ts'),
  sign: () => import('./cli/sign.ts'),
  verify: () => import('./cli/verify.ts'),
  seal: () => import('./cli/seal.ts'),
  pub: () => import('./cli/pub.ts'),
  sub: () => import('./cli/sub.ts'),
};

const HELP = ['help', '--help', '-h'];
const VERSION_WORDS = ['version', '--version', '-V'];

async function main(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || HELP.includes(word)) return help(word === undefined ? 2 : 0);
  if (VERSION_WORDS.includes(word)) {
    process.stdout.write(`skerry ${VERSION} (${process.arch}, node ${process.versions.node})\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (load === undefined) throw new Failure('usage', `There is no command "${word}": see "skerry help".`);
  const command = await load();
  if (rest.includes('--help')) {
    process.stdout.write(`${command.usage}\n`);
    return 0;
  }
  return command.run(rest);
}

async function help(exitCode: number): Promise<number> {
  const usages: string[] = [];
  for (const load of Object.values(COMMANDS)) usages.push(`  ${(await load()).usage}`);
  process.stdout.write(`An edge hub for small machines.\n\n${usages.join('\n')}\n  skerry version | help\n`);
  return exitCode;
}

/** Milliseconds that what was said of failures may wait for its reader: a hub must end, whoever reads its log. */
const LAST_WORDS_MOST = 1_000;

/** A pipe takes output no faster than it is read: what a command printed is waited for, as its reader would. */
function leave(exitCode: number): void {
  whenTaken(process.stdout, () => {
    whenTaken(process.stderr, () => process.exit(exitCode));
    setTimeout(() => process.exit(exitCode), LAST_WORDS_MOST);
  });
}

function whenTaken(stream: NodeJS.WriteStream, action: () => void): void {
  if (stream.writableLength === 0) action();
  else stream.write('', action);
}

main(process.argv.slice(2)).then(leave, (thrown: unknown) => {
  process.stderr.write(`skerry: ${reasonOf(thrown)}\n`);
  leave(thrown instanceof Failure ? thrown.exitCode : 1);
});
