import { getAsset } from 'node:sea';
import { argumentsOf } from '../../arguments.ts';
import { SCHEMA } from '../../reference/deployments.ts';
import { write } from '../../system.ts';

/**
 * Prints the JSON Schema of manifests for editors. The schema is an asset of the binary, so that a hub does
 * not load it with its code.
 */
export async function run(args: readonly string[]): Promise<number> {
  argumentsOf(SCHEMA, args);
  write(getAsset('schema', 'utf8'));
  return 0;
}
