import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Account } from '../confinement/users.ts';
import { hasPermission } from '../confinement/users.ts';
import type { ModuleSpec } from '../spec.ts';
import { formatProblem } from './executable-format.ts';
import type { StartError } from './start-error.ts';

/** Permission bit to execute a file or enter a folder. */
const EXECUTE = 1;

/** System error codes that are caused by a lack of resources on the machine, and not by the module. */
const TRANSIENT = new Set(['EAGAIN', 'ENOMEM']);

/**
 * Returns the error that would prevent the start: the program or the working folder does not exist, or
 * `account` has no permission to execute the program. Undefined if nothing prevents the start.
 */
export function findStartError(
  spec: Pick<ModuleSpec, 'exec' | 'cwd'>,
  { PATH = '' }: Readonly<Record<string, string>>,
  account: Account | undefined,
): StartError | undefined {
  const [program] = spec.exec;
  if (program === undefined || program === '') return permanent('"exec" is empty: name the program to run.');
  if (statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return permanent(`Working folder ${spec.cwd} does not exist: create it, or set another one.`);
  }
  if (!program.includes('/')) {
    const found = PATH.split(':')
      .map(folder => join(folder, program))
      .find(isProgram);
    if (found === undefined) return commandLineInOneString(spec.exec) ?? notFound(program);
    const reason = formatProblem(found);
    return reason === undefined ? undefined : permanent(reason);
  }
  const file = resolve(spec.cwd, program);
  if (!existsSync(file)) {
    const startError = commandLineInOneString(spec.exec);
    if (startError !== undefined) return startError;
  }
  return executableError(file) ?? (account && permissionError(file, account));
}

/**
 * Returns an error if the module's user has no permission to execute the file or to enter one of its parent
 * folders.
 */
function permissionError(file: string, account: Account): StartError | undefined {
  const forbidden = foldersOf(file).find(folder => !hasPermission(folder, account, EXECUTE));
  if (forbidden !== undefined) {
    return permanent(
      `Permission denied: user ${account.uid} may not enter ${forbidden}. Run chmod o+x on it, or move the module.`,
    );
  }
  if (hasPermission(file, account, EXECUTE)) return undefined;
  return permanent(`Permission denied: user ${account.uid} may not execute ${file}. Run chmod o+rx on it.`);
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

/**
 * Returns an error if the program is a whole command line in one string, as it would be written in a shell.
 */
function commandLineInOneString([program = '', ...rest]: readonly string[]): StartError | undefined {
  const words = program.split(/\s+/).filter(word => word !== '');
  if (words.length < 2) return undefined;
  const list = [...words, ...rest].map(word => JSON.stringify(word)).join(', ');
  return permanent(
    `Command not found: ${JSON.stringify(program)}. Write each argument as a string of its own: [${list}].`,
  );
}

function notFound(program: string): StartError {
  return permanent(`Command not found: ${program} is not in PATH. Install it, or give its path.`);
}

function executableError(file: string): StartError | undefined {
  try {
    if (!statSync(file).isFile())
      return permanent(`${file} is not a regular file: give the path of the program.`);
    accessSync(file, constants.X_OK);
    const reason = formatProblem(file);
    return reason === undefined ? undefined : permanent(reason);
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        return permanent(
          `No such file or directory (${systemCode(error)}): ${file}. Correct the path, or install the program.`,
        );
      case 'EACCES':
        return permanent(
          `Permission denied: ${file} is not executable (EACCES). Run chmod +x on it, or correct the permissions of its folders.`,
        );
      default:
        return permanent(`Cannot start ${file}: ${reasonOf(error)}.`);
    }
  }
}

/** Returns the start error for an error of `spawn`. */
export function spawnError(
  spec: Pick<ModuleSpec, 'exec'>,
  error: unknown,
  environment: Readonly<Record<string, string>> = {},
): StartError {
  const program = spec.exec[0] ?? '';
  const code = systemCode(error) ?? '';
  if (code === 'EMFILE' || code === 'ENFILE') {
    const limitedBy = code === 'EMFILE' ? 'the hub' : 'the machine';
    const reason = `Cannot start ${program}: too many open files in ${limitedBy} (${code}). Raise "ulimit -n" or LimitNOFILE of the systemd unit.`;
    return { reason, transient: true };
  }
  if (code === 'E2BIG') return permanent(argumentListTooLong(spec, environment));
  if (TRANSIENT.has(code)) {
    return { reason: `Cannot start ${program}: ${reasonOf(error)}. The start is retried.`, transient: true };
  }
  if (code !== 'ENOENT') return permanent(`Cannot start ${program}: ${reasonOf(error)}.`);
  if (!program.includes('/')) return notFound(program);
  return permanent(
    `No such file or directory (ENOENT): ${program}, or its interpreter or loader. Correct the path.`,
  );
}

/**
 * Returns the reason of an E2BIG error. The kernel limits the length of each argument, and the length of all
 * arguments and environment variables together (execve(2)).
 */
function argumentListTooLong(
  { exec }: Pick<ModuleSpec, 'exec'>,
  environment: Readonly<Record<string, string>>,
): string {
  const texts = [
    ...exec.map((text, index) => [`exec[${index}]`, text] as const),
    ...Object.entries(environment).map(([name, value]) => [name, `${name}=${value}`] as const),
  ].map(([name, text]) => [name, Buffer.byteLength(text) + 1] as const);
  const all = texts.reduce((sum, [, bytes]) => sum + bytes, 0);
  const [name, longest] = texts.reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0] as const);
  return `Argument list too long (E2BIG): ${all} bytes in total, ${longest} in ${name}; one string may have 131072. Move long values into a file.`;
}

function permanent(reason: string): StartError {
  return { reason, transient: false };
}
