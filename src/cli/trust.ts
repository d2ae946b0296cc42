import { trustedKeys, trustKey } from '../crypto/key-files/trusted.ts';
import { print, systemRandom } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';
import { oneLine, table } from './table.ts';

export const usage = 'skerry trust <key.pub> | --list [--data DIR]';

/** Installs a public key, so that only signed manifests are taken from then on; or lists those that are. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { list: { type: 'boolean' }, data: { type: 'string' } } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const folder = dataFolder(values.data);
  const [file, ...more] = positionals;
  if (more.length > 0 || (file === undefined) !== (values.list === true)) {
    throw usageFailure('Name one public key, or --list', usage);
  }
  if (file === undefined) return list(folder);
  const { name } = trustKey(folder, file, systemRandom);
  print(`Manifests that "${name}" signed are taken in ${folder}, and no unsigned ones.`);
  return 0;
}

function list(folder: string): number {
  const keys = trustedKeys(folder);
  if (keys.length === 0) {
    print(`No key is trusted in ${folder}: manifests need no signature there.`);
    return 0;
  }
  const rows = keys.map(({ name, bytes, comment }) => [name, bytes.toString('base64'), oneLine(comment)]);
  for (const line of table(['NAME', 'KEY', 'COMMENT'], rows)) print(line);
  return 0;
}
