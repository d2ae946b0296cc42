import { getAsset } from 'node:sea';
import { argumentsOf } from '../../arguments.ts';
import { SCHEMA } from '../../reference/deployments.ts';
import { write } from '../../system.ts';

/**
 * Prints the JSON Schema of manifests for editors. The schema is an asset of the binary and not part of the
 * code, so that a hub does not load it.
 */
export async function run(args: readonly string[]): Promise<number> {
  argumentsOf(SCHEMA, args);
  write(getAsset('schema', 'utf8'));
  return 0;
}
