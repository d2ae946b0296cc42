import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemCode } from '../../../core/errors.ts';
import { writeDurably } from '../../../core/files/durable.ts';
import { storedJson } from '../../../core/files/stored-json.ts';

/** File of the data folder with the manifest that was tried last. */
const FILE = 'provision.json';

/**
 * Maximum number of starts that apply the same prepared manifest. A manifest whose module restarts the device
 * would otherwise restart it forever.
 */
const MAX_TRIES = 3;

type Tried = { readonly id: string; readonly tries: number };

/**
 * Counts a try of the prepared manifest with the deployment `id`. `current` is the id of the deployment that
 * runs. Throws Failure `provision.input` if the manifest has failed before, and either another manifest was
 * applied since then or all tries are used.
 */
export function countTry(dataFolder: string, id: string, current: string | undefined): void {
  const before = triedBefore(dataFolder);
  const tries = before?.id === id ? before.tries : 0;
  if (tries > 0 && current !== undefined && current !== id)
    throw new Failure(
      'provision.input',
      'The prepared manifest has failed before, and another manifest runs now: remove the prepared manifest, or prepare one with a higher serial.',
    );
  if (tries >= MAX_TRIES)
    throw new Failure(
      'provision.input',
      `The prepared manifest has failed ${MAX_TRIES} times: prepare another one, with a higher serial if it is signed.`,
    );
  writeDurably(join(dataFolder, FILE), JSON.stringify({ id, tries: tries + 1 }));
}

function triedBefore(dataFolder: string): Tried | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(dataFolder, FILE));
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
  const value = storedJson(bytes);
  return isTried(value) ? value : undefined;
}

function isTried(value: unknown): value is Tried {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'tries' in value &&
    typeof value.tries === 'number'
  );
}
