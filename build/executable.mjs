import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripped } from './native.mjs';
import { packageFolder } from './packages.mjs';
import { root } from './paths.mjs';

/** The mark in every Node binary that tells it to look for a blob in itself. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Makes the single executable `output`; returns its size in MB. */
export async function makeExecutable({ main, assets, runtime, arch, work, output }) {
  const config = join(work, 'sea.json');
  const blob = join(work, 'sea.blob');
  const present = Object.entries(assets).filter(([, file]) => file !== undefined);
  writeFileSync(
    config,
    JSON.stringify({
      main,
      output: blob,
      assets: Object.fromEntries(present),
      disableExperimentalSEAWarning: true,
      // A cache of compiled code would be of the building machine's architecture.
      useCodeCache: false,
      // Nothing in the environment may change the runtime of a hub.
      execArgvExtension: 'none',
    }),
  );
  const builder = join(await packageFolder(`node-linux-${process.arch}`), 'bin', 'node');
  execFileSync(builder, ['--experimental-sea-config', config], { stdio: 'pipe' });
  const draft = stripped(join(runtime, 'bin', 'node'), join(work, 'skerry'), arch);
  // In a process of its own: postject warns of every section that strip renamed.
  const postject = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
  const injection = [postject, draft, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE];
  execFileSync(builder, injection, { stdio: 'pipe' });
  chmodSync(draft, 0o755);
  // A rename, so that a running binary is replaced and never written into.
  renameSync(draft, output);
  return statSync(output).size / 1e6;
}
