import { openPack } from '../../../bundles/pack/open-pack.ts';
import { Failure } from '../../../core/errors.ts';
import { parseManifest } from '../../../manifest/read.ts';
import type { Artifact, Manifest } from '../../../manifest/types.ts';
import { bytes, printTable } from '../../output/table.ts';
import { print } from '../../system.ts';

/** Returns the files that a manifest refers to, each with its field in the manifest. */
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

/**
 * Prints the manifest of a pack and the files that the manifest refers to. Throws Failure `pack.refused` if
 * the pack does not contain one of these files.
 */
export async function listPack(file: string, json: boolean): Promise<void> {
  const { manifest, files } = await openPack(file);
  const parsed = parseManifest(manifest.toString(), `manifest.json of ${file}`);
  const artifacts = artifactsOf(parsed).map(({ field, artifact: { sha256, from } }) => {
    return { field, sha256, from, sizeBytes: files.get(sha256)?.size };
  });
  if (json) {
    const { name, serial, signature } = parsed;
    print(JSON.stringify({ name, serial, signed: signature !== undefined, files: artifacts }, null, 2));
  } else printList(parsed, artifacts);
  for (const { field, from, sizeBytes } of artifacts) {
    if (sizeBytes !== undefined || isRemote(from)) continue;
    throw new Failure(
      'pack.refused',
      `The pack ${file} does not hold the file of ${field}: make it again with "skerry pack".`,
    );
  }
}

type Listed = {
  readonly field: string;
  readonly sha256: string;
  readonly from: string | undefined;
  /** Size of the file in bytes. Undefined if the file is not in the pack. */
  readonly sizeBytes: number | undefined;
};

function printList({ name, serial, signature }: Manifest, listed: readonly Listed[]): void {
  const serialText = serial === undefined ? 'without a serial' : `serial ${serial}`;
  print(`"${name}", ${serialText}, ${signature === undefined ? 'not signed' : 'signed'}`);
  const rows = listed.map(({ field, sha256, from, sizeBytes }) => [
    field,
    sha256,
    sizeBytes === undefined ? (from ?? 'missing') : bytes(sizeBytes),
  ]);
  if (rows.length > 0) printTable(['FOR', 'SHA-256', 'SIZE'], rows);
}
