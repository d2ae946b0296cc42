import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from './paths.mjs';
import { run } from './tools.mjs';

/**
 * The folder of a package that the lock file pins: in node_modules if npm installed it, else (a package for
 * the other architecture) fetched by npm, checked against the lock file's hash, and kept in the cache.
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

/** Unpacked aside and renamed, so that the folder is whole if it is there. */
function fetchInto(folder, what, integrity) {
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'fetch-'));
  try {
    const printed = run('npm', ['pack', what, '--loglevel=error', '--pack-destination', draft], {
      cwd: root,
    });
    const archive = join(draft, printed.trim().split('\n').at(-1));
    const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (actual !== integrity) {
      throw new Error(
        `${what} is not what package-lock.json pins: npm fetched ${actual}, pinned is ${integrity}.`,
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
