import { Failure } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import type { Command } from './conclude.ts';
import { perform } from './conclude.ts';
import { usage as upUsage } from './up-usage.ts';

/** All commands but `up`: each is loaded when it is asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  apply: () => import('./apply.ts'),
  ps: () => import('./ps.ts'),
  logs: () => import('./logs.ts'),
  attach: () => import('./attach.ts'),
  start: () => import('./start.ts'),
  stop: () => import('./stop.ts'),
  restart: () => import('./restart.ts'),
  routes: () => import('./routes.ts'),
  queue: () => import('./queue.ts'),
  check: () => import('./check.ts'),
  pack: () => import('./pack.ts'),
  schema: () => import('./schema.ts'),
  import: () => import('./import.ts'),
  passwd: () => import('./passwd.ts'),
  keygen: () => import('./keygen.ts'),
  trust: () => import('./trust.ts'),
  sign: () => import('./sign.ts'),
  verify: () => import('./verify.ts'),
  seal: () => import('./seal.ts'),
  pub: () => import('./pub.ts'),
  sub: () => import('./sub.ts'),
};

const HELP = ['help', '--help', '-h'];
const VERSION_WORDS = ['version', '--version', '-V'];

/** Carries out what was asked for by its words. */
export async function command(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || HELP.includes(word)) return help(word === undefined ? 2 : 0);
  if (VERSION_WORDS.includes(word)) {
    process.stdout.write(`skerry ${VERSION} (${process.arch}, node ${process.versions.node})\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (load === undefined) throw new Failure('usage', `There is no command "${word}": see "skerry help".`);
  return perform(await load(), rest);
}

async function help(exitCode: number): Promise<number> {
  const usages = [`  ${upUsage}`];
  for (const load of Object.values(COMMANDS)) usages.push(`  ${(await load()).usage}`);
  process.stdout.write(`An edge hub for small machines.\n\n${usages.join('\n')}\n  skerry version | help\n`);
  return exitCode;
}
