import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './build/bundle.mjs';
import { makeExecutable } from './build/executable.mjs';
import { compileTerminal, stripped } from './build/native.mjs';
import { packageFolder } from './build/packages.mjs';
import { root } from './build/paths.mjs';

/*
 * node build.mjs [--arch x64|arm64]
 *
 * Sources -> one bundle -> a blob with the native parts -> a copy of the pinned runtime that holds the blob.
 * Without --arch: dist/skerry for this machine; with it: dist/skerry-linux-<arch>.
 */
const ARCHITECTURES = ['x64', 'arm64'];

function architecture(args) {
  const [flag, value, ...more] = args;
  if (flag === undefined) return process.arch;
  if (flag === '--arch' && ARCHITECTURES.includes(value) && more.length === 0) return value;
  process.stderr.write(`build: "${args.join(' ')}" is not clear. Usage: node build.mjs [--arch x64|arm64]\n`);
  process.exit(2);
}

const args = process.argv.slice(2);
const arch = architecture(args);
if (process.platform !== 'linux' || !ARCHITECTURES.includes(arch)) {
  process.stderr.write(
    `build: skerry is built on Linux for ${ARCHITECTURES.join(' and ')}, and not on ${process.platform}-${arch}.\n`,
  );
  process.exit(1);
}

const work = join(root, 'dist', `.work-${arch}`);
mkdirSync(work, { recursive: true });
const runtime = await packageFolder(`node-linux-${arch}`);
const lmdb = await packageFolder(`@lmdb/lmdb-linux-${arch}`);
const assets = {
  lmdb: stripped(join(lmdb, 'node.napi.glibc.node'), join(work, 'lmdb.node'), arch),
  pty: compileTerminal(runtime, join(work, 'pty.node'), arch),
};
const main = await bundle(work, assets);
const output = join(root, 'dist', args.length === 0 ? 'skerry' : `skerry-linux-${arch}`);
const megabytes = await makeExecutable({ main, assets, runtime, arch, work, output });
process.stdout.write(`${output.slice(root.length + 1)}  ${megabytes.toFixed(1)} MB\n`);
