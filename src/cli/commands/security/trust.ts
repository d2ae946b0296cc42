import { readTrustedKey, trustedKeys, trustKey } from '../../../crypto/key-files/trusted-keys.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { dataFolder } from '../../data-folder.ts';
import { asDataOwner } from '../../data-owner.ts';
import { oneLine, printTable } from '../../output/table.ts';
import { TRUST } from '../../reference/security.ts';
import { print, systemRandom } from '../../system.ts';

/**
 * Installs a public key, so that the hub accepts only signed manifests. With `--list`, lists the installed
 * keys.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(TRUST, args);
  const folder = dataFolder(values.data);
  const [file] = positionals;
  if ((file === undefined) !== (values.list === true)) {
    throw usageFailure('Give one public key, or --list', TRUST);
  }
  if (file === undefined) return list(folder, values.json === true);
  const key = readTrustedKey(file);
  const { name } = await asDataOwner(folder, () => trustKey(folder, key, systemRandom));
  print(`The hub of ${folder} accepts manifests that "${name}" signed, and refuses unsigned manifests.`);
  return 0;
}

function list(folder: string, json: boolean): number {
  const keys = trustedKeys(folder);
  if (json) {
    const shown = keys.map(({ name, bytes, comment }) => ({ name, key: bytes.toString('base64'), comment }));
    print(JSON.stringify(shown, null, 2));
    return 0;
  }
  if (keys.length === 0) {
    print(`No key is trusted in ${folder}: manifests need no signature there.`);
    return 0;
  }
  const rows = keys.map(({ name, bytes, comment }) => [name, bytes.toString('base64'), oneLine(comment)]);
  printTable(['NAME', 'KEY', 'COMMENT'], rows);
  return 0;
}
