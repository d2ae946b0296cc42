import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { Failure, reasonOf } from '../core/errors.ts';
import { readKeyPair } from '../crypto/key-files/file.ts';
import { signManifest } from '../crypto/signatures.ts';
import { parseJson, parseManifest, readManifestText } from '../manifest/read.ts';
import { print } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry sign <manifest> --key FILE [--out FILE]';

/** Prints a manifest with its signature, or writes it to a file, which may be the one that it came from. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = flagsOf(args, { key: { type: 'string' }, out: { type: 'string' } }, usage);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw usageFailure('Name one manifest', usage);
  if (values.key === undefined) throw usageFailure('Name the secret key with --key', usage);
  const manifest = signable(file);
  const signed = await signManifest(manifest, await readKeyPair(values.key, 'ed25519'), file);
  const text = JSON.stringify(signed, null, 2);
  if (values.out === undefined) print(text);
  else replace(values.out, `${text}\n`);
  return 0;
}

/** What is refused by a device is not signed in the first place. */
function signable(file: string): object {
  const text = readManifestText(file);
  const { serial } = parseManifest(text, file);
  if (serial === undefined) {
    throw new Failure(
      'manifest.field',
      `serial is missing: a signed manifest has a number that is higher than that of the one before it (in ${file}).`,
    );
  }
  const value = parseJson(text, file);
  if (typeof value !== 'object' || value === null) throw new TypeError('A manifest is no object.');
  return value;
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
