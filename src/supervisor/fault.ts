import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { reasonOf, systemCode } from '../core/errors.ts';
import type { Account } from './confinement/users.ts';
import { mayPass } from './confinement/users.ts';
import type { ModuleSpec } from './spec.ts';

/** Why a module could not be started, in one sentence, and whether it may go better in a while. */
export type Fault = { readonly reason: string; readonly passing: boolean };

/** The bit of a mode that lets one enter a folder or execute a file. */
const ENTER = 1;

/** The machine is short of something, the module is not to blame. */
const PASSING = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** Reason that a module cannot be started, as far as it can be seen before. */
export function findFault(
  spec: Pick<ModuleSpec, 'exec' | 'cwd'>,
  { PATH = '' }: Readonly<Record<string, string>>,
  account: Account | undefined,
): Fault | undefined {
  const [program] = spec.exec;
  if (program === undefined || program === '') return lasting('No program is named: "exec" is empty.');
  if (statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return lasting(`Its working folder ${spec.cwd} does not exist: make it, or name another.`);
  }
  if (!program.includes('/')) {
    const found = PATH.split(':').some(folder => isProgram(join(folder, program)));
    return found ? undefined : notFound(program);
  }
  const file = resolve(spec.cwd, program);
  return programFault(file) ?? (account && barFault(file, account));
}

/** What keeps a module's user from its program. */
function barFault(file: string, account: Account): Fault | undefined {
  const closed = foldersOf(file).find(folder => !mayPass(folder, account, ENTER));
  if (closed !== undefined) {
    return lasting(
      `The user ${account.uid} may not enter ${closed}: run chmod o+x on it, or put the module elsewhere.`,
    );
  }
  if (mayPass(file, account, ENTER)) return undefined;
  return lasting(`The user ${account.uid} may not execute ${file}: run chmod o+rx on it.`);
}

function foldersOf(file: string): string[] {
  const folder = dirname(file);
  return folder === file ? [] : [...foldersOf(folder), folder];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) !== undefined) return false;
    throw error;
  }
}

/** At most as many bytes as the kernel reads to recognize a program (BINPRM_BUF_SIZE); none if it cannot be read. */
function firstBytesOf(file: string): string {
  const bytes = Buffer.alloc(256);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return bytes.toString('latin1', 0, readSync(descriptor, bytes));
  } catch (error) {
    // A program that may be executed and not read is the kernel's to judge.
    if (systemCode(error) !== undefined) return '';
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function notFound(program: string): Fault {
  return lasting(`${program} was not found in PATH: install it, or name its path.`);
}

function programFault(file: string): Fault | undefined {
  try {
    if (!statSync(file).isFile()) return lasting(`${file} is not a file: name the program itself.`);
    accessSync(file, constants.X_OK);
    return interpreterFault(file);
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        return lasting(`${file} does not exist: correct the path, or put the program there.`);
      case 'EACCES':
        return lasting(
          `${file} may not be executed: run chmod +x on it, or correct the rights of its folders.`,
        );
      default:
        return lasting(`${file} cannot be started: ${reasonOf(error)}.`);
    }
  }
}

/** The first line of a script names the program that runs it (execve(2), "Interpreter scripts"). */
function interpreterFault(file: string): Fault | undefined {
  const [, interpreter] = /^#![ \t]*(\S+)/.exec(firstBytesOf(file)) ?? [];
  return interpreter === undefined || isProgram(interpreter) ? undefined : noInterpreter(file);
}

function noInterpreter(program: string): Fault {
  return lasting(`The interpreter that the first line of ${program} names does not exist: correct it.`);
}

/** What the system said when it was to start the module. */
export function spawnFault(spec: Pick<ModuleSpec, 'exec'>, error: unknown): Fault {
  const program = spec.exec[0] ?? '';
  const code = systemCode(error) ?? '';
  if (PASSING.has(code)) {
    return { reason: `${program} cannot be started just now: ${reasonOf(error)}.`, passing: true };
  }
  if (code !== 'ENOENT') return lasting(`${program} cannot be started: ${reasonOf(error)}.`);
  if (!program.includes('/')) return notFound(program);
  return noInterpreter(program);
}

/** What went wrong in the hub before it could start a module. */
export function hindered(error: unknown): Fault {
  return { reason: `The hub was hindered, "${reasonOf(error)}": put that right.`, passing: true };
}

function lasting(reason: string): Fault {
  return { reason, passing: false };
}
