import { getAsset } from 'node:sea';
import { write } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry schema';

/** Prints the JSON Schema of manifests, for editors. It lies beside the program in the binary: a hub does not load it. */
export async function run(args: readonly string[]): Promise<number> {
  const { positionals } = flagsOf(args, {}, usage);
  if (positionals.length > 0) throw usageFailure('Nothing is to be named', usage);
  write(getAsset('schema', 'utf8'));
  return 0;
}
