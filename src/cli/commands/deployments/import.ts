import { readFileSync, statSync } from 'node:fs';
import { Failure, reasonOf, systemCode } from '../../../core/errors.ts';
import { importForHub } from '../../../hub/control/import.ts';
import type { Remark } from '../../../manifest/azure/remark.ts';
import { MAX_DEPLOYMENT_BYTES } from '../../../manifest/limits.ts';
import { argumentsOf } from '../../arguments.ts';
import { refuseOverwrite, writeOutput } from '../../output/output-file.ts';
import { IMPORT } from '../../reference/deployments.ts';
import { printError, write } from '../../system.ts';

/**
 * File mode of the manifest. Only the owner can read the file, because its environment variables can contain
 * secrets.
 */
const MODE = 0o600;

/**
 * Converts a deployment of Azure IoT Edge to a manifest. Prints a line on standard error for each thing that
 * the user must still do.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(IMPORT, args);
  const [file = ''] = positionals;
  const { out, force } = values;
  if (out !== undefined) refuseOverwrite(out, force);
  const { manifest, remarks } = importForHub(textOf(file), file);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  if (out === undefined) write(text);
  else writeOutput(out, text, MODE, 'import.unwritten');
  for (const remark of remarks) printError(lineOf(remark));
  return 0;
}

function textOf(file: string): string {
  try {
    if (statSync(file).size <= MAX_DEPLOYMENT_BYTES) return readFileSync(file, 'utf8');
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'the file does not exist' : reasonOf(thrown);
    throw new Failure('manifest.missing', `The deployment ${file} cannot be read: ${reason}.`);
  }
  throw new Failure(
    'import.foreign',
    `The file ${file} is not a deployment of Azure IoT Edge: it is larger than 4 MB.`,
  );
}

/**
 * Formats a remark as one line. Replaces control characters, because the remark contains names from the file.
 */
function lineOf({ path, sentence }: Remark): string {
  return Array.from(`${path}: ${sentence}.`, character => (/\p{C}/u.test(character) ? ' ' : character)).join(
    '',
  );
}
