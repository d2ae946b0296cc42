import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** GNU triplets of the architectures. */
const TRIPLETS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** Emulators of Debian's qemu-user-static by architecture. */
const EMULATORS = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' };

/** Returns the name of a GNU tool for files of the architecture `arch`. */
export function toolFor(name, arch) {
  return arch === process.arch ? name : `${TRIPLETS[arch]}-${name}`;
}

/** Returns the name of Debian's package that contains a GNU tool for `arch`. */
export function debianPackage(name, arch) {
  return arch === process.arch ? name : `${name}-${TRIPLETS[arch].replace('_', '-')}`;
}

/** Returns the version text of a tool. Undefined if the tool is not installed. */
export function versionOf(tool) {
  const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

/**
 * Returns the command that must precede a program of `arch` to run it on this machine. Empty for the
 * architecture of this machine. Undefined if no emulator is installed.
 */
export function emulatorFor(arch) {
  if (arch === process.arch) return [];
  const emulator = EMULATORS[arch];
  const system = `/usr/${TRIPLETS[arch]}`;
  const runs = versionOf(emulator) !== undefined && existsSync(`${system}/lib/libstdc++.so.6`);
  return runs ? [emulator, '-L', system] : undefined;
}

/**
 * Runs a program to its end and returns its output. Throws if the program fails; the error contains its
 * output.
 */
export function run(program, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  const output = error?.message ?? `${stdout}${stderr}`.trim();
  throw new Error(`"${program} ${args.join(' ')}" failed: ${output}`);
}
