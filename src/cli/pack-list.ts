import { openPack } from '../bundles/open-pack.ts';
import { Failure } from '../core/errors.ts';
import { parseManifest } from '../manifest/read.ts';
import type { Artifact, Manifest } from '../manifest/types.ts';
import { print } from './edge.ts';
import { bytes, table } from './table.ts';

/** The files that a manifest names, by the field that does. */
export function artifactsOf({ modules, hub }: Manifest): { field: string; artifact: Artifact }[] {
  const bundles = modules.map(({ name, bundle }) => ({ field: `modules.${name}.bundle`, artifact: bundle }));
  const hubs = [
    { field: 'hub.x64', artifact: hub.x64 },
    { field: 'hub.arm64', artifact: hub.arm64 },
  ];
  return [...bundles, ...hubs].flatMap(({ field, artifact }) => (artifact ? [{ field, artifact }] : []));
}

export function isRemote(from: string | undefined): boolean {
  return from?.includes('://') === true;
}

/** Prints what a pack holds, and what its manifest wants. Throws Failure `pack.refused` if a file is not in it. */
export async function listPack(file: string): Promise<void> {
  const { manifest, files } = await openPack(file);
  const { name, serial, modules, ...rest } = parseManifest(manifest.toString(), `manifest.json of ${file}`);
  const serialText = serial === undefined ? 'without a serial' : `serial ${serial}`;
  print(`"${name}", ${serialText}, ${rest.signature === undefined ? 'not signed' : 'signed'}`);
  const artifacts = artifactsOf({ name, serial, modules, ...rest });
  const rows = artifacts.map(({ field, artifact: { sha256, from } }) => {
    const packed = files.get(sha256);
    return [field, sha256, packed === undefined ? (from ?? 'missing') : bytes(packed.size)];
  });
  for (const line of rows.length === 0 ? [] : table(['FOR', 'SHA-256', 'SIZE'], rows)) print(line);
  for (const { field, artifact } of artifacts) {
    if (files.has(artifact.sha256) || isRemote(artifact.from)) continue;
    throw new Failure(
      'pack.refused',
      `The pack ${file} does not hold what ${field} names: make it anew with "skerry pack".`,
    );
  }
}
