import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { reasonOf, systemCode } from '../core/errors.ts';
import type { ModuleSpec } from './spec.ts';

/** Why a module could not be started, in one sentence, and whether it may go better in a while. */
export type Fault = { readonly reason: string; readonly passing: boolean };

/** The machine is short of something, the module is not to blame. */
const PASSING = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** What can be seen to be wrong before the module is started. */
export function findFault(spec: ModuleSpec): Fault | undefined {
  const [program] = spec.exec;
  if (program === undefined || program === '') return lasting('No program is named: "exec" is empty.');
  if (statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return lasting(`Its working folder ${spec.cwd} does not exist: make it, or name another.`);
  }
  return program.includes('/') ? programFault(resolve(spec.cwd, program)) : undefined;
}

function programFault(file: string): Fault | undefined {
  try {
    if (!statSync(file).isFile()) return lasting(`${file} is not a file: name the program itself.`);
    accessSync(file, constants.X_OK);
    return undefined;
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
export function spawnFault(spec: ModuleSpec, error: unknown): Fault {
  const program = spec.exec[0] ?? '';
  const code = systemCode(error) ?? '';
  if (PASSING.has(code)) {
    return { reason: `${program} cannot be started just now: ${reasonOf(error)}.`, passing: true };
  }
  if (code !== 'ENOENT') return lasting(`${program} cannot be started: ${reasonOf(error)}.`);
  if (!program.includes('/'))
    return lasting(`${program} was not found in PATH: install it, or name its path.`);
  return lasting(`The interpreter that the first line of ${program} names does not exist: correct it.`);
}

function lasting(reason: string): Fault {
  return { reason, passing: false };
}
