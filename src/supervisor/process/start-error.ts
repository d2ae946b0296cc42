import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Account } from '../confinement/users.ts';
import { mayPass } from '../confinement/users.ts';
import type { ModuleSpec } from '../spec.ts';
import { unrunnable } from './executable-format.ts';

/** Why a module could not be started, in one sentence, and whether it may go better in a while. */
export type Fault = { readonly reason: string; readonly passing: boolean };

/** The bit of a mode that lets one enter a folder or execute a file. */
const ENTER = 1;

/** The machine is short of something, the module is not to blame. */
const PASSING = new Set(['EAGAIN', 'ENOMEM']);

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
    const found = PATH.split(':')
      .map(folder => join(folder, program))
      .find(isProgram);
    if (found === undefined) return oneText(spec.exec) ?? notFound(program);
    const reason = unrunnable(found);
    return reason === undefined ? undefined : lasting(reason);
  }
  const file = resolve(spec.cwd, program);
  if (!existsSync(file)) {
    const fault = oneText(spec.exec);
    if (fault !== undefined) return fault;
  }
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

/** A program is named together with its arguments, as in a shell. */
function oneText([program = '', ...rest]: readonly string[]): Fault | undefined {
  const words = program.split(/\s+/).filter(word => word !== '');
  if (words.length < 2) return undefined;
  const meant = [...words, ...rest].map(word => JSON.stringify(word)).join(', ');
  return lasting(
    `There is no program ${JSON.stringify(program)}: give each argument a text of its own, [${meant}].`,
  );
}

function notFound(program: string): Fault {
  return lasting(`${program} was not found in PATH: install it, or name its path.`);
}

function programFault(file: string): Fault | undefined {
  try {
    if (!statSync(file).isFile()) return lasting(`${file} is not a file: name the program itself.`);
    accessSync(file, constants.X_OK);
    const reason = unrunnable(file);
    return reason === undefined ? undefined : lasting(reason);
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

/** What the system said when it was to start the module. */
export function spawnFault(
  spec: Pick<ModuleSpec, 'exec'>,
  error: unknown,
  environment: Readonly<Record<string, string>> = {},
): Fault {
  const program = spec.exec[0] ?? '';
  const code = systemCode(error) ?? '';
  if (code === 'EMFILE' || code === 'ENFILE') {
    const whose = code === 'EMFILE' ? 'the hub' : 'the machine';
    const reason = `${program} cannot be started just now: ${whose} has too many files open (${code}), raise "ulimit -n", or LimitNOFILE of a systemd unit.`;
    return { reason, passing: true };
  }
  if (code === 'E2BIG') return lasting(tooBig(spec, environment));
  if (PASSING.has(code)) {
    return { reason: `${program} cannot be started just now: ${reasonOf(error)}.`, passing: true };
  }
  if (code !== 'ENOENT') return lasting(`${program} cannot be started: ${reasonOf(error)}.`);
  if (!program.includes('/')) return notFound(program);
  return lasting(`${program}, or the interpreter or loader that it names, does not exist: correct it.`);
}

/** The system holds each text, and all together, to a bound (execve(2), "Limits on size of arguments and environment"). */
function tooBig({ exec }: Pick<ModuleSpec, 'exec'>, environment: Readonly<Record<string, string>>): string {
  const texts = [
    ...exec.map((text, index) => [`exec[${index}]`, text] as const),
    ...Object.entries(environment).map(([name, value]) => [name, `${name}=${value}`] as const),
  ].map(([name, text]) => [name, Buffer.byteLength(text) + 1] as const);
  const all = texts.reduce((sum, [, bytes]) => sum + bytes, 0);
  const [name, most] = texts.reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0] as const);
  return `Its arguments and environment are too long for the system (E2BIG): ${all} bytes, ${most} of them ${name}, and one text may have 131072. Put what is long into a file.`;
}

/** What went wrong in the hub before it could start a module. */
export function hindered(error: unknown): Fault {
  return { reason: `The hub was hindered, "${reasonOf(error)}": put that right.`, passing: true };
}

function lasting(reason: string): Fault {
  return { reason, passing: false };
}
