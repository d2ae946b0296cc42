import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { MAX_DEPLOYMENT_BYTES } from '../core/limits.ts';
import { importForHub } from '../hub/import.ts';
import type { Remark } from '../manifest/azure/remark.ts';
import { argumentsOf } from './arguments.ts';
import { printError, write } from './edge.ts';
import { IMPORT } from './reference/deployments.ts';

/** What an environment holds may be secret. */
const MODE = 0o600;

/** Turns a deployment of Azure IoT Edge into a manifest; what is left to do is told on standard error, one thing a line. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(IMPORT, args);
  const [file = ''] = positionals;
  const { manifest, remarks } = importForHub(textOf(file), file);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  if (values.out === undefined) write(text);
  else save(values.out, text);
  for (const remark of remarks) printError(lineOf(remark));
  return 0;
}

function textOf(file: string): string {
  try {
    if (statSync(file).size <= MAX_DEPLOYMENT_BYTES) return readFileSync(file, 'utf8');
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown);
    throw new Failure('manifest.missing', `The deployment ${file} cannot be read: ${reason}.`);
  }
  throw new Failure(
    'import.foreign',
    `The file ${file} is no deployment of Azure IoT Edge: it is larger than 4 MB.`,
  );
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: MODE });
  } catch (thrown) {
    throw new Failure('import.unwritten', `The manifest cannot be written to ${file}: ${reasonOf(thrown)}.`);
  }
}

/** On one line, and nothing in it that a terminal would act upon: names of the deployment are in it. */
function lineOf({ path, sentence }: Remark): string {
  return Array.from(`${path}: ${sentence}.`, character => (/\p{C}/u.test(character) ? ' ' : character)).join(
    '',
  );
}
