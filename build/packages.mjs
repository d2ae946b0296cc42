import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from './paths.mjs';

/**
 * The folder of a package that the lock file pins: in node_modules if npm installed it, else (a package for
 * the other architecture) fetched by npm, checked against the lock file's hash, and kept in the cache.
 */
export async function packageFolder(name) {
  const installed = join(root, 'node_modules', name);
  if (existsSync(join(installed, 'package.json'))) return installed;
  const { version, integrity } = pinned(name);
  const folder = join(cache, createHash('sha256').update(integrity).digest('hex').slice(0, 32));
  if (existsSync(join(folder, 'package.json'))) return folder;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'fetch-'));
  try {
    const archive = fetchArchive(name, version, draft);
    verify(archive, integrity, `${name}@${version}`);
    execFileSync('tar', ['-xzf', archive, '-C', draft, '--strip-components=1', '--no-same-owner']);
    rmSync(archive);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

function pinned(name) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entry = lock.packages[`node_modules/${name}`];
  if (entry?.integrity === undefined) throw new Error(`build: package-lock.json does not pin ${name}.`);
  return entry;
}

function fetchArchive(name, version, folder) {
  const printed = execFileSync(
    'npm',
    ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return join(folder, printed.trim().split('\n').at(-1));
}

function verify(archive, integrity, what) {
  const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (actual !== integrity)
    throw new Error(`build: ${what} is not what package-lock.json pins: it has ${actual}.`);
}
