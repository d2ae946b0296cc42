import schema from '../../skerry.schema.json' with { type: 'json' };
import { print } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry schema';

/** Prints the JSON Schema of manifests, for editors and for programs that write them. */
export async function run(args: readonly string[]): Promise<number> {
  const { positionals } = flagsOf(args, {}, usage);
  if (positionals.length > 0) throw usageFailure('Nothing is to be named', usage);
  print(JSON.stringify(schema, undefined, 2));
  return 0;
}
