import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './packages.mjs';
import { root } from './paths.mjs';
import { run } from './tools.mjs';

/** The mark in every Node binary that tells it to look for a blob in itself. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * None can be set later. With what `up` sets, garbage is collected early; more than one thread to help V8
 * costs 15 ms at the start and some MB under load.
 */
export const V8_FLAGS = ['--max-semi-space-size=1', '--v8-pool-size=1', '--expose-gc'];

/**
 * Makes a single executable of `draft`, a copy of the runtime: puts the bundle `main` and its `assets` into
 * it.
 */
export function makeExecutable({ main, assets, draft, work }) {
  const config = join(work, 'sea.json');
  const blob = join(work, 'sea.blob');
  writeFileSync(
    config,
    JSON.stringify({
      main,
      output: blob,
      assets,
      disableExperimentalSEAWarning: true,
      useCodeCache: false,
      // NODE_OPTIONS of whoever starts the hub is not for the hub.
      execArgvExtension: 'none',
      execArgv: V8_FLAGS,
    }),
  );
  const builder = join(packageFolder(`node-linux-${process.arch}`), 'bin', 'node');
  run(builder, ['--experimental-sea-config', config]);
  // In a process of its own: postject warns of every section that strip renamed.
  const postject = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
  run(builder, [postject, draft, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  chmodSync(draft, 0o755);
}
