import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { Failure, reasonOf } from '../core/errors.ts';
import { parseJson, readManifestText } from '../manifest/read.ts';
import { argumentsOf, usageFailure } from './arguments.ts';
import { print } from './edge.ts';
import { SIGN } from './reference/security.ts';
import { signerWith } from './signer.ts';

/** Prints a manifest with its signature, or writes it to a file, which may be the one that it came from. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(SIGN, args);
  const [file = ''] = positionals;
  if (values.key === undefined) throw usageFailure('Name the secret key with --key', SIGN);
  const signed = await signerWith(values.key, file)(parseJson(readManifestText(file), file));
  const text = JSON.stringify(signed, null, 2);
  if (values.out === undefined) print(text);
  else replace(values.out, `${text}\n`);
  return 0;
}

/** Written aside and renamed, so that the file is one or the other, and whole. */
function replace(file: string, text: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { flag: 'wx' });
    renameSync(draft, file);
  } catch (thrown) {
    throw new Failure('usage', `${file} cannot be written: ${reasonOf(thrown)}.`);
  } finally {
    rmSync(draft, { force: true });
  }
}
