import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/**
 * Installs a package that only a benchmark needs, and returns a `require` that finds it. The package is
 * downloaded at the first run, because a build of Skerry does not need it. Its install scripts are not run.
 * @throws if the package cannot be downloaded
 */
export function requirePeer(name: string, version: string): NodeJS.Require {
  const spec = `${name}@${version}`;
  const folder = resolve(import.meta.dirname, '../dist/bench-peers', `${name}-${version}`);
  if (!existsSync(join(folder, 'node_modules', name, 'package.json'))) install(spec, folder);
  return createRequire(join(folder, 'package.json'));
}

function install(spec: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    execFileSync('npm', ['install', ...options, spec], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    throw new Error(`${spec} cannot be fetched by npm, and nothing can be compared without it.`, { cause });
  }
}
