import { VERSION } from '../../../core/version.ts';
import { argumentsOf } from '../../arguments.ts';
import { VERSION_COMMAND } from '../../reference/program.ts';
import { print } from '../../system.ts';

/** Prints the version of this program. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(VERSION_COMMAND, args);
  const { arch, versions } = process;
  if (values.json) print(JSON.stringify({ version: VERSION, arch, node: versions.node }, null, 2));
  else print(`skerry ${VERSION} (${arch}, node ${versions.node})`);
  return 0;
}
