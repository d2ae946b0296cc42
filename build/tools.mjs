import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** GNU triplets of the architectures. */
const TRIPLETS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** Emulators of Debian's qemu-user-static by architecture. */
const EMULATORS = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' };

/** The name of a GNU tool that works on files of `arch`. */
export function toolFor(name, arch) {
  return arch === process.arch ? name : `${TRIPLETS[arch]}-${name}`;
}

/** Debian's package that holds such a tool. */
export function debianPackage(name, arch) {
  return arch === process.arch ? name : `${name}-${TRIPLETS[arch].replace('_', '-')}`;
}

/** Version text of a tool. Undefined if it is not installed. */
export function versionOf(tool) {
  const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

/**
 * The words before a program of `arch` that make it run here: none on its own machine; undefined if nothing
 * can.
 */
export function emulatorFor(arch) {
  if (arch === process.arch) return [];
  const emulator = EMULATORS[arch];
  const system = `/usr/${TRIPLETS[arch]}`;
  const runs = versionOf(emulator) !== undefined && existsSync(`${system}/lib/libstdc++.so.6`);
  return runs ? [emulator, '-L', system] : undefined;
}

/** Runs a program to its end and returns what it printed; if it fails, so does the build, in its words. */
export function run(program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  const words = error?.message ?? `${stdout}${stderr}`.trim();
  throw new Error(`"${program} ${args.join(' ')}" failed: ${words}`);
}
