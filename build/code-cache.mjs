import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { V8_FLAGS } from './executable.mjs';
import { root } from './paths.mjs';
import { emulatorFor, run } from './tools.mjs';

/** The second start is what a device does every day: the first makes the data folder. */
const STARTS = 2;

/** V8 copies what does not lie at a multiple of this, and keeps the room: 0.8 MB. */
const ALIGNMENT = 8;

/** Debian's names of the architectures. */
const DEBIAN = { x64: 'amd64', arm64: 'arm64' };

/** An emulator takes some seconds. */
const LONGEST = 120_000;

/**
 * V8's code cache of the hub's program, as a file in `work`: a hub with it parses no source text. It fits one
 * version of V8 on one architecture, so it is made by that runtime, in an emulator for another machine;
 * undefined, said aloud, if there is none: the binary is then as good, and starts later.
 */
export function codeCache(program, native, runtime, arch, work) {
  const emulator = emulatorFor(arch);
  if (emulator === undefined) {
    const wanted = `qemu-user-static and libstdc++6-${DEBIAN[arch]}-cross`;
    process.stderr.write(
      `build: nothing here runs ${arch}, so the hub starts later than need be: install ${wanted}.\n`,
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
  const slack = Buffer.alloc(ALIGNMENT);
  slack[0] = ALIGNMENT;
  writeFileSync(cache, Buffer.concat([slack, readFileSync(cache)]));
  return cache;
}

/**
 * Moves the cache within its slack to where V8 reads it in place; its first byte tells how far from there it
 * lies.
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
