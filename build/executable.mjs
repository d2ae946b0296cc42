import { chmodSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageFolder } from './packages.mjs';
import { root } from './paths.mjs';
import { run } from './tools.mjs';

/** Marker in every Node binary. postject changes it to announce an embedded blob. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * V8 flags that must be set before the start of the binary. The small semi-space and the flags that `up` adds
 * make V8 collect garbage early. The pool has one thread, because more threads would cost 15 ms at the start
 * and some MB of memory under load.
 */
export const V8_FLAGS = ['--max-semi-space-size=1', '--v8-pool-size=1', '--expose-gc'];

/**
 * Turns `draft`, a copy of the runtime, into a single executable that contains the bundle `main` and the
 * `assets`.
 */
export function makeExecutable({ main, assets, draft, work }) {
  const blob = join(work, 'sea.blob');
  // The paths are relative to `work`. Node stores the path of the main file in the blob, and the bytes of the
  // blob must not depend on the folder.
  writeFileSync(
    join(work, 'sea.json'),
    JSON.stringify({
      main: basename(main),
      output: basename(blob),
      assets,
      disableExperimentalSEAWarning: true,
      useCodeCache: false,
      // NODE_OPTIONS in the environment must not affect the hub.
      execArgvExtension: 'none',
      execArgv: V8_FLAGS,
    }),
  );
  const builder = join(packageFolder(`node-linux-${process.arch}`), 'bin', 'node');
  run(builder, ['--experimental-sea-config', 'sea.json'], { cwd: work });
  // postject runs in a separate process, because it prints a warning for every section that strip has
  // renamed.
  const postject = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
  run(builder, [postject, draft, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  chmodSync(draft, 0o755);
}
