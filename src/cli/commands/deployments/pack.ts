import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Inventory } from '../../../bundles/archive/inventory.ts';
import { inspectArchive } from '../../../bundles/archive/read-archive.ts';
import { writePack } from '../../../bundles/pack/write-pack.ts';
import { Failure, reasonOf, systemCode } from '../../../core/errors.ts';
import { parseJson, parseManifest, readManifestText } from '../../../manifest/read.ts';
import type { Manifest } from '../../../manifest/types.ts';
import { argumentsOf } from '../../arguments.ts';
import { refuseOverwrite } from '../../output/output-file.ts';
import { createProgress, type Progress } from '../../output/progress.ts';
import { bytes } from '../../output/table.ts';
import { PACK } from '../../reference/deployments.ts';
import { print } from '../../system.ts';
import { keyReader, signerWith } from '../security/signer.ts';
import { isRemote, listPack } from './pack-list.ts';
import { refuseLostPaths } from './pack-paths.ts';

/** Packs a manifest with the files that it refers to. With `--list`, prints the content of a pack. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(PACK, args);
  const [file = ''] = positionals;
  if (values.list) await listPack(file, values.json === true);
  else {
    const { out, force } = values;
    const readKey = keyReader(values, PACK);
    refuseOverwrite(out, force);
    await pack(file, out, readKey === undefined ? async value => value : signerWith(readKey, file));
  }
  return 0;
}

type Written = { [field: string]: unknown };

/** File that the manifest names by a path. `written` is the object of the manifest that contains the path. */
type LocalFile = { readonly field: string; readonly path: string; readonly written: Written };

/** Writes a pack. `finish` receives the manifest with all hashes, and returns the manifest to write. */
export async function pack(
  file: string,
  out: string,
  finish: (value: unknown) => Promise<unknown>,
): Promise<void> {
  const value = parseJson(readManifestText(file), file);
  const files: { sha256: string; path: string }[] = [];
  const progress = createProgress();
  for (const one of localFiles(value, dirname(resolve(file)))) {
    files.push({ sha256: await fillHash(one, progress), path: one.path });
  }
  const folder = dirname(resolve(file));
  const manifest = parseManifest(JSON.stringify(value), file);
  refuseLostPaths(manifest, folder, await inspectBundles(manifest, folder));
  const text = `${JSON.stringify(await finish(value), null, 2)}\n`;
  parseManifest(text, file);
  await writePack({
    manifest: Buffer.from(text),
    files,
    out,
    progress: (done, of) => progress.show(`writing ${out}`, done, of),
  });
  progress.end();
  print(`${out}  ${bytes(statSync(out).size)}`);
}

function whyNot(thrown: unknown): string {
  return systemCode(thrown) === 'ENOENT' ? 'no such file (ENOENT)' : reasonOf(thrown);
}

/**
 * Returns the local files of a manifest. Skips invalid parts of the manifest. A later check reports these
 * parts.
 */
function localFiles(value: unknown, folder: string): LocalFile[] {
  if (!isRecord(value)) return [];
  const modules = Object.entries(isRecord(value['modules']) ? value['modules'] : {});
  const named: [string, unknown][] = [
    ...modules.map(([name, module]): [string, unknown] => [
      `modules.${name}.bundle`,
      isRecord(module) ? module['bundle'] : undefined,
    ]),
    ...Object.entries(isRecord(value['hub']) ? value['hub'] : {}).map(([arch, hub]): [string, unknown] => [
      `hub.${arch}`,
      hub,
    ]),
  ];
  return named.flatMap(([field, written]) => {
    if (!isRecord(written)) return [];
    const { from } = written;
    if (typeof from !== 'string' || from === '' || isRemote(from)) return [];
    return [{ field, path: resolve(folder, from), written }];
  });
}

function isRecord(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Computes the SHA-256 of a file. Adds the hash to the manifest if the manifest has none for this file.
 * Throws Failure `bundle.hash` if the manifest has a different hash.
 */
async function fillHash({ field, path, written }: LocalFile, progress: Progress): Promise<string> {
  const actual = await hashOf(field, path, progress);
  const stated = written['sha256'];
  if (stated !== undefined && stated !== actual) {
    throw new Failure(
      'bundle.hash',
      `${field}.sha256 is not that of ${path}, which is ${actual}: correct it, or leave it out and it is filled in.`,
    );
  }
  written['sha256'] = actual;
  return actual;
}

async function hashOf(field: string, path: string, progress: Progress): Promise<string> {
  const hash = createHash('sha256');
  let done = 0;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('it is not a regular file');
    for await (const piece of createReadStream(path)) {
      hash.update(piece);
      done += piece.length;
      progress.show(`reading ${path}`, done, stats.size);
    }
  } catch (thrown) {
    throw new Failure('bundle.missing', `${field}.from cannot be read from ${path}: ${whyNot(thrown)}.`);
  }
  return hash.digest('hex');
}

/** Checks the packed bundles as a device does. Returns their contents by module. */
async function inspectBundles({ modules }: Manifest, folder: string): Promise<Map<string, Inventory>> {
  const inventories = new Map<string, Inventory>();
  for (const { name, bundle } of modules) {
    if (bundle?.from === undefined || isRemote(bundle.from)) continue;
    const source = { path: resolve(folder, bundle.from) };
    const wanted = { ...bundle, subject: `modules.${name}.bundle`, source };
    inventories.set(name, await inspectArchive(wanted, source, new AbortController().signal));
  }
  return inventories;
}
