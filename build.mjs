import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './build/bundle.mjs';
import { addSlack, align, codeCache, publishCache, publishedCache } from './build/code-cache.mjs';
import { makeExecutable } from './build/executable.mjs';
import { licenceTexts } from './build/licences.mjs';
import { compileTerminal, patchLmdb, stripperFor } from './build/native/native.mjs';
import { packageFolder } from './build/packages.mjs';
import { root } from './build/paths.mjs';
import { billOfMaterials } from './build/sbom.mjs';

/*
 * node build.mjs [--arch x64|arm64] [--cache FILE]
 *
 * Bundles the sources into two programs, the hub and all other commands, and creates V8's code cache of the
 * first. Embeds both, the native libraries and the schema of the manifest into a copy of the pinned runtime.
 * Without --arch the output is dist/skerry for this machine, otherwise dist/skerry-linux-<arch>. Its bill of
 * materials (.cdx.json) and its code cache (.cache) lie beside it. --cache uses the code cache of an earlier build,
 * so that equal sources give an equal binary.
 */
const ARCHITECTURES = ['x64', 'arm64'];

const USAGE = 'node build.mjs [--arch x64|arm64] [--cache FILE]';

function options(args) {
  try {
    const { values } = parseArgs({ args, options: { arch: { type: 'string' }, cache: { type: 'string' } } });
    if (values.arch === undefined || ARCHITECTURES.includes(values.arch)) return values;
  } catch {
    // The usage below names all options.
  }
  process.stderr.write(`build: "${args.join(' ')}" is invalid. Usage: ${USAGE}\n`);
  process.exit(2);
}

/** Builds `output` for `arch` in the folder `work`. Returns its size in MB. */
async function build(arch, work, output, givenCache) {
  const runtime = packageFolder(`node-linux-${arch}`);
  const strip = stripperFor(arch);
  const assets = { lmdb: strip(patchLmdb(arch), join(work, 'lmdb.node')) };
  const pty = compileTerminal(runtime, arch);
  if (pty !== undefined) assets.pty = pty;
  const { main, programs, sources } = await bundle(work, assets);
  writeFileSync(join(root, 'dist', 'THIRD-PARTY-LICENSES'), licenceTexts(sources, runtime));
  const draft = strip(join(runtime, 'bin', 'node'), join(work, 'skerry'));
  const texts = { ...programs, schema: join(root, 'skerry.schema.json') };
  const cache =
    givenCache === undefined
      ? codeCache(programs.hub, assets.lmdb, runtime, arch, work)
      : publishedCache(givenCache, programs.hub, runtime, work);
  if (cache !== undefined) {
    publishCache(cache, programs.hub, runtime, `${output}.cache`);
    addSlack(cache);
    texts['hub.cache'] = cache;
  }
  makeExecutable({ main, assets: { ...assets, ...texts }, draft, work });
  if (cache !== undefined) align(draft, cache);
  const builder = join(packageFolder(`node-linux-${process.arch}`), 'bin', 'node');
  writeFileSync(`${output}.cdx.json`, billOfMaterials(draft, arch, sources, builder));
  // The rename replaces the file of a running binary instead of writing to it.
  renameSync(draft, output);
  return statSync(output).size / 1e6;
}

const { arch: wanted, cache: givenCache } = options(process.argv.slice(2));
const arch = wanted ?? process.arch;
if (process.platform !== 'linux' || !ARCHITECTURES.includes(arch)) {
  process.stderr.write(
    `build: skerry is built on Linux, x64 or arm64, not on ${process.platform}-${arch}.\n`,
  );
  process.exit(1);
}
const output = join('dist', wanted === undefined ? 'skerry' : `skerry-linux-${arch}`);
mkdirSync(join(root, 'dist'), { recursive: true });
// Each build has its own work folder on the file system of the output, so that concurrent builds do not
// interfere.
const work = mkdtempSync(join(root, 'dist', '.work-'));
try {
  const megabytes = await build(arch, work, join(root, output), givenCache);
  process.stdout.write(`${output}  ${megabytes.toFixed(1)} MB\n`);
} catch (thrown) {
  process.stderr.write(`build: ${thrown.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true });
}
