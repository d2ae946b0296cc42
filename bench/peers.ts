import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/**
 * A package that only a benchmark compares with, fetched with its first run: whoever builds Skerry would
 * fetch it for nothing. No script of it is run to install it. Returns a `require` that finds it.
 * @throws if it cannot be fetched
 */
export function requirePeer(name: string, version: string): NodeJS.Require {
  const what = `${name}@${version}`;
  const folder = resolve(import.meta.dirname, '../dist/bench-peers', `${name}-${version}`);
  if (!existsSync(join(folder, 'node_modules', name, 'package.json'))) install(what, folder);
  return createRequire(join(folder, 'package.json'));
}

function install(what: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    execFileSync('npm', ['install', ...options, what], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    throw new Error(`${what} cannot be fetched by npm, and nothing can be compared without it.`, { cause });
  }
}
