import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root } from './paths.mjs';

/** Debian's names of the tools for an architecture that is not this machine's. */
const TOOL_PREFIX = { x64: 'x86_64-linux-gnu-', arm64: 'aarch64-linux-gnu-' };

function tool(name, arch) {
  return arch === process.arch ? name : TOOL_PREFIX[arch] + name;
}

function compilerPackage(arch) {
  if (arch === process.arch) return 'g++';
  return arch === 'arm64' ? 'g++-aarch64-linux-gnu' : 'g++-x86-64-linux-gnu';
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** A copy of a native file without its symbols: four fifths of lmdb's are of no use to a device. */
export function stripped(source, target, arch) {
  copyFileSync(source, target);
  const strip = tool('strip', arch);
  if (has(strip)) execFileSync(strip, [target]);
  else process.stderr.write(`build: no ${strip}, so the binary is larger than need be: install binutils.\n`);
  return target;
}

/**
 * node-pty's native part, compiled from its source with the runtime's headers; undefined, said aloud, if
 * there is no compiler: the binary then has no terminals.
 */
export function compileTerminal(runtime, target, arch) {
  const compiler = tool('g++', arch);
  if (!has(compiler)) {
    process.stderr.write(
      `build: no ${compiler}, so this binary has no terminals ("tty"): install ${compilerPackage(arch)} and build again.\n`,
    );
    return undefined;
  }
  const pty = join(root, 'node_modules', 'node-pty');
  const source = join(pty, 'src', 'unix', 'pty.cc');
  const flags = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-s', '-fvisibility=hidden', '-D_FORTIFY_SOURCE=2'],
    ...['-DNODE_GYP_MODULE_NAME=pty', '-DBUILDING_NODE_EXTENSION', '-DNAPI_CPP_EXCEPTIONS'],
    '-lutil',
  ];
  const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' });
  const key = createHash('sha256').update(readFileSync(source)).update(flags.join(' ')).update(version);
  const cached = join(cache, `pty-${arch}-${key.digest('hex').slice(0, 32)}.node`);
  if (!existsSync(cached)) {
    mkdirSync(cache, { recursive: true });
    const headers = [join(runtime, 'include', 'node'), join(pty, 'node_modules', 'node-addon-api')];
    const draft = `${cached}.${process.pid}`;
    execFileSync(compiler, [source, '-o', draft, ...headers.flatMap(folder => ['-I', folder]), ...flags]);
    renameSync(draft, cached);
  }
  copyFileSync(cached, target);
  return target;
}
