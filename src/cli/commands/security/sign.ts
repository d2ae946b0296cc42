import { parseJson, readManifestText } from '../../../manifest/read.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { isSameFile, refuseOverwrite, writeOutput } from '../../output/output-file.ts';
import { SIGN } from '../../reference/security.ts';
import { print } from '../../system.ts';
import { keyReader, signerWith } from './signer.ts';

/**
 * Mode of the output file before the umask. Other users are allowed to read the signed manifest, because its
 * secrets are encrypted.
 */
const MODE = 0o666;

/**
 * Signs a manifest. Prints the signed manifest or writes it to a file. The output file can be the input file.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(SIGN, args);
  const [file = ''] = positionals;
  const readKey = keyReader(values, SIGN);
  if (readKey === undefined) throw usageFailure('Name the secret key with --key or --key-env', SIGN);
  const { out, force } = values;
  if (out !== undefined && !isSameFile(out, file)) refuseOverwrite(out, force);
  const signed = await signerWith(readKey, file)(parseJson(readManifestText(file), file));
  const text = JSON.stringify(signed, null, 2);
  if (out === undefined) print(text);
  else writeOutput(out, `${text}\n`, MODE, 'usage');
  return 0;
}
