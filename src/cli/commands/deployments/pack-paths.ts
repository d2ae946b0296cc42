import { existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { Inventory } from '../../../bundles/archive/inventory.ts';
import { Failure } from '../../../core/errors.ts';
import type { NamedPath } from '../../../manifest/file-paths.ts';
import { namedPaths } from '../../../manifest/file-paths.ts';
import type { Manifest } from '../../../manifest/types.ts';

const EXECUTABLE = 0o111;

/**
 * Checks the file paths in a manifest. Throws Failure `pack.refused` for a path that will not exist on the
 * device: a relative path outside a bundle, or a program that the bundle does not contain. `inventories` are
 * the contents of packed bundles by module. Bundles that the device downloads are not checked.
 */
export function refuseLostPaths(
  manifest: Manifest,
  folder: string,
  inventories: ReadonlyMap<string, Inventory>,
): void {
  for (const named of namedPaths(manifest)) {
    const complaint = complaintAbout(named, folder, inventories.get(named.module?.name ?? ''));
    if (complaint !== undefined) throw new Failure('pack.refused', `${named.field} is ${complaint}.`);
  }
}

function complaintAbout(
  named: NamedPath,
  folder: string,
  inventory: Inventory | undefined,
): string | undefined {
  const { path, module, kind } = named;
  const shown = JSON.stringify(path);
  if (module?.bundle !== undefined) {
    return inventory !== undefined && isInBundle(named) ? bundleComplaint(named, inventory) : undefined;
  }
  if (!isInFolder(named, folder)) return undefined;
  const cure = module === undefined ? '' : `put the file into a "bundle" of module "${module.name}", or `;
  const reason = kind === 'socket' ? 'a pack has no folder to create it in' : 'a pack does not contain it';
  return `the relative path ${shown}, and ${reason}: ${cure}write an absolute path`;
}

function bundleComplaint({ path, kind }: NamedPath, inventory: Inventory): string | undefined {
  const shown = JSON.stringify(path);
  const found = inventory.find(path);
  if (found === undefined)
    return `${shown}, which the bundle does not contain: correct the path, or add the file`;
  if (kind === 'argument') return undefined;
  if (found.kind === 'folder') return `${shown}, which is a folder in the bundle: name the program itself`;
  return (found.mode & EXECUTABLE) === 0
    ? `${shown}, which is not executable in the bundle: run chmod +x on it before you make the archive`
    : undefined;
}

function isInBundle({ path, kind }: NamedPath): boolean {
  if (isAbsolute(path)) return false;
  return kind === 'program' ? path.includes('/') : kind === 'argument' && isDotted(path);
}

/**
 * True if the path is relative to the manifest's folder. A program argument counts as a path if it begins
 * with `./` or `../`, or if the folder contains a file of this name.
 */
function isInFolder({ path, kind }: NamedPath, folder: string): boolean {
  if (isAbsolute(path)) return false;
  switch (kind) {
    case 'program':
      return path.includes('/');
    case 'argument':
      return isDotted(path) || isFile(resolve(folder, path));
    case 'variable':
      return isDotted(path);
    default:
      return true;
  }
}

function isDotted(path: string): boolean {
  return /^\.\.?\//.test(path);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
