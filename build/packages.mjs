import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from './paths.mjs';
import { run } from './tools.mjs';

/**
 * Returns the folder of a package that the lock file pins. npm does not install a package for another
 * architecture. Such a package is downloaded by npm, verified with the hash in the lock file, and stored in
 * the cache.
 */
export function packageFolder(name) {
  const installed = join(root, 'node_modules', name);
  if (existsSync(join(installed, 'package.json'))) return installed;
  const { version, integrity } = pinned(name);
  const folder = join(cache, createHash('sha256').update(integrity).digest('hex'));
  if (!existsSync(folder)) fetchInto(folder, `${name}@${version}`, integrity);
  return folder;
}

function pinned(name) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entry = lock.packages[`node_modules/${name}`];
  if (entry?.integrity === undefined) throw new Error(`package-lock.json does not pin ${name}.`);
  return entry;
}

/**
 * Downloads a package. Unpacks it into a temporary folder and renames the folder, so that an existing folder
 * is complete.
 */
function fetchInto(folder, spec, integrity) {
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'fetch-'));
  try {
    const printed = run('npm', ['pack', spec, '--loglevel=error', '--pack-destination', draft], {
      cwd: root,
    });
    const archive = join(draft, printed.trim().split('\n').at(-1));
    const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (actual !== integrity) {
      throw new Error(
        `${spec} does not have the hash in package-lock.json: npm downloaded ${actual}, but ${integrity} is pinned.`,
      );
    }
    const unpacked = join(draft, 'unpacked');
    mkdirSync(unpacked);
    run('tar', ['-xzf', archive, '-C', unpacked, '--strip-components=1', '--no-same-owner']);
    if (!existsSync(folder)) renameSync(unpacked, folder);
  } finally {
    rmSync(draft, { recursive: true });
  }
}
