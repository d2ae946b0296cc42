import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ParseArgsConfig } from 'node:util';
import { parseArgs } from 'node:util';
import { Failure, reasonOf } from '../core/errors.ts';

/** Where the data folder is when nobody names one. */
const SYSTEM_DATA_FOLDER = '/var/lib/skerry';
const LOCAL_DATA_FOLDER = '.skerry';

/** The command's flags and words, as node:util's parseArgs has them. Throws Failure `usage` with the usage line. */
export function flagsOf<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
  usage: string,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (thrown) {
    throw usageFailure(reasonOf(thrown), usage);
  }
}

export function usageFailure(complaint: string, usage: string): Failure {
  const sentence = complaint.endsWith('.') ? complaint : `${complaint}.`;
  return new Failure('usage', `${sentence} Usage: ${usage}`);
}

/** The data folder: the flag, else $SKERRY_DATA, else /var/lib/skerry if it can be written, else ./.skerry. */
export function dataFolder(flag: string | undefined): string {
  const named = flag ?? process.env['SKERRY_DATA'];
  if (named !== undefined && named !== '') return resolve(named);
  return isWritable(SYSTEM_DATA_FOLDER) ? SYSTEM_DATA_FOLDER : resolve(LOCAL_DATA_FOLDER);
}

function isWritable(folder: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
