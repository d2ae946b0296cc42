import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { V8_FLAGS } from './executable.mjs';
import { root } from './paths.mjs';
import { emulatorFor, run } from './tools.mjs';

/**
 * Number of starts of the hub. The first start creates the data folder, so the second start is like a usual
 * start of a device.
 */
const STARTS = 2;

/**
 * Alignment in bytes of the code cache. V8 copies an unaligned cache and keeps the copy, which costs 0.8 MB.
 */
const ALIGNMENT = 8;

/** Names of the architectures in Debian. */
const DEBIAN = { x64: 'amd64', arm64: 'arm64' };

/** Maximum milliseconds of one start of the hub. A start in an emulator needs some seconds. */
const LONGEST = 120_000;

/**
 * Creates V8's code cache of the hub's program as a file in `work`, so that the hub parses no source text at
 * its start. The cache fits one version of V8 on one architecture. Therefore the runtime of the binary
 * creates the cache, in an emulator if necessary. If there is no emulator, prints a warning and returns
 * undefined. The binary then works, but starts more slowly.
 */
export function codeCache(program, native, runtime, arch, work) {
  const emulator = emulatorFor(arch);
  if (emulator === undefined) {
    const packages = `qemu-user-static and libstdc++6-${DEBIAN[arch]}-cross`;
    process.stderr.write(
      `build: this machine cannot run ${arch}, so the binary has no code cache and starts more slowly: install ${packages}.\n`,
    );
    return undefined;
  }
  const cache = join(work, 'hub.cache');
  const folder = mkdtempSync(join(work, 'teaching-'));
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ name: 'idle', listeners: [{ mqtt: '127.0.0.1:0' }] }));
  const maker = join(root, 'build', 'make-code-cache.mjs');
  const [tool, ...args] = [...emulator, join(runtime, 'bin', 'node'), ...V8_FLAGS, maker];
  for (let start = 0; start < STARTS; start++) {
    run(tool, [...args, program, native, cache, manifest, join(folder, 'data')], { timeout: LONGEST });
  }
  return cache;
}

/** Puts ALIGNMENT bytes in front of a code cache, so that `align` has the space to move the cache. */
export function addSlack(cache) {
  const slack = Buffer.alloc(ALIGNMENT);
  slack[0] = ALIGNMENT;
  writeFileSync(cache, Buffer.concat([slack, readFileSync(cache)]));
}

/**
 * Stores a code cache as `file`, after a hash of the program and the runtime to which the cache belongs. A
 * later build repeats the bytes of the binary only with this file, because V8 decides by its timing which
 * functions it compiles.
 */
export function publishCache(cache, program, runtime, file) {
  writeFileSync(file, Buffer.concat([fittingHash(program, runtime), readFileSync(cache)]));
}

/**
 * Copies the code cache in `file`, which an earlier build has stored, to a file in `work`. Throws an error if
 * the cache belongs to another program or runtime.
 */
export function publishedCache(file, program, runtime, work) {
  const bytes = readFileSync(file);
  const fitting = fittingHash(program, runtime);
  if (!bytes.subarray(0, fitting.length).equals(fitting))
    throw new Error(`"${file}" is the code cache of another program: build without --cache.`);
  const cache = join(work, 'hub.cache');
  writeFileSync(cache, bytes.subarray(fitting.length));
  return cache;
}

function fittingHash(program, runtime) {
  const hash = createHash('sha256').update(readFileSync(program));
  return hash.update(readFileSync(join(runtime, 'bin', 'node'))).digest();
}

/**
 * Moves the code cache in the binary to an aligned position, so that V8 reads it in place. The first byte of
 * the asset is the distance from the start of the asset to this position.
 */
export function align(binary, cache) {
  const [bytes, moved] = [readFileSync(binary), readFileSync(cache)];
  const start = bytes.indexOf(moved);
  if (start === -1) throw new Error('build/code-cache.mjs does not find the code cache in the binary.');
  const distance = ALIGNMENT - (start % ALIGNMENT);
  bytes[start] = distance;
  moved.copy(bytes, start + distance, ALIGNMENT);
  writeFileSync(binary, bytes);
}
