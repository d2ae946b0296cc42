import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageFolder } from '../packages.mjs';
import { cache, root } from '../paths.mjs';
import { debianPackage, run, toolFor, versionOf } from '../tools.mjs';

/**
 * As node-pty's binding.gyp has it. libstdc++ is not linked in: the runtime and lmdb load it anyway, and a
 * copy of it would ask for a newer glibc than they do.
 */
const FLAGS = [
  ...['-std=c++17', '-O2', '-fPIC', '-shared', '-s', '-fvisibility=hidden', '-D_FORTIFY_SOURCE=2'],
  ...['-DNODE_GYP_MODULE_NAME=pty', '-DBUILDING_NODE_EXTENSION', '-DNAPI_CPP_EXCEPTIONS', '-lutil'],
];

/**
 * Functions that Node lacks: credentials at the other end of a Unix socket, pipe2(2), those of the allocator,
 * _exit(2).
 */
const FUNCTIONS = ['peer-credentials.cc', 'pipe.cc', 'memory.cc', 'exit.cc'].map(file =>
  readFileSync(join(root, 'build/native', file), 'utf8'),
);

/**
 * Additions to node-pty's source, each behind a line that stands in it once: what runs on a terminal inherits
 * no other file of the hub, and nothing that the hub starts later inherits the terminal, into which it could
 * type. The last three are the functions above.
 */
const ADDITIONS = [
  ['        environ = env;\n', '        closefrom(3);\n'],
  ['    default:\n      if (pty_nonblock(master) == -1', ' || fcntl(master, F_SETFD, FD_CLOEXEC) == -1'],
  ['#include <sys/ioctl.h>\n', '#include <malloc.h>\n#include <sys/socket.h>\n'],
  ['/**\n * Init\n */\n', FUNCTIONS.join('')],
  [
    'Napi::Function::New(env, PtyGetProc));\n',
    [
      ['peer', 'Peer'],
      ['pipe', 'Pipe'],
      ['limitFreed', 'LimitFreed'],
      ['trim', 'Trim'],
      ['exit', 'Exit'],
    ]
      .map(([name, fn]) => `  exports.Set("${name}", Napi::Function::New(env, ${fn}));\n`)
      .join(''),
  ],
];

/**
 * Texts in lmdb's native part, and what the build puts in their place. If a page cannot be written, LMDB
 * formats the first text into 100 bytes (mdb.c, mdb_page_flush): with large numbers it is longer, and two of
 * the numbers are uninitialised memory. Without conversions it always fits. The others go to stderr, in the
 * middle of the hub's log.
 */
const REPLACED_TEXTS = [
  [
    'Attempting to write page at position %u, size %u, blocks %u, buffer sizes %i %i %i',
    'Attempting to write a page',
  ],
  ['Write error: %s position %u, size %u', ''],
  ['mdb_page_spill flushing error %i\n', ''],
  ['mdb_page_spill error %i\n', ''],
];

/**
 * lmdb's native part as its package brings it, with the texts above replaced; returns the path. It lies where
 * lmdb looks for a part of its own (`LMDB_PREBUILD`), so that tests of the sources load the part that the
 * binary holds.
 */
export function patchLmdb(arch) {
  const bytes = readFileSync(join(packageFolder(`@lmdb/lmdb-linux-${arch}`), 'node.napi.glibc.node'));
  for (const [text, replacement] of REPLACED_TEXTS) {
    const whole = `\0${text}\0`;
    const at = bytes.indexOf(whole);
    if (at === -1 || bytes.includes(whole, at + 1)) {
      throw new Error(`build/native/native.mjs replaces a text of lmdb that is not there once: ${text}`);
    }
    bytes.fill(0, at, at + whole.length);
    bytes.write(replacement, at + 1);
  }
  const folder = join(cache, `lmdb-${arch}`, 'build', 'Release');
  const patched = join(folder, 'lmdb.node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${patched}.${process.pid}`, bytes);
  renameSync(`${patched}.${process.pid}`, patched);
  return patched;
}

/**
 * A function that copies a native file without its symbols (four fifths of lmdb's are of no use to a device)
 * and returns the copy's path; said aloud if there is no tool for it: the copy is then whole.
 */
export function stripperFor(arch) {
  const strip = toolFor('strip', arch);
  const found = versionOf(strip) !== undefined;
  if (!found) {
    const wanted = debianPackage('binutils', arch);
    process.stderr.write(`build: no ${strip}, so the binary is larger than need be: install ${wanted}.\n`);
  }
  return (source, target) => {
    copyFileSync(source, target);
    if (found) run(strip, [target]);
    return target;
  };
}

/**
 * node-pty's native part, compiled from its source with the runtime's headers; undefined, said aloud, if
 * there is no compiler: the binary then has no terminals, and sockets in place of its modules' pipes.
 */
export function compileTerminal(runtime, arch) {
  const compiler = toolFor('g++', arch);
  const version = versionOf(compiler);
  if (version === undefined) {
    const wanted = debianPackage('g++', arch);
    process.stderr.write(
      `build: no ${compiler}, so this binary has no terminals ("tty"), and modules get sockets for pipes: install ${wanted} and build again.\n`,
    );
    return undefined;
  }
  const pty = join(root, 'node_modules', 'node-pty');
  const source = join(pty, 'src', 'unix', 'pty.cc');
  const addonApi = dirname(createRequire(join(pty, 'package.json')).resolve('node-addon-api/package.json'));
  const text = withAdditions(readFileSync(source, 'utf8'));
  const key = createHash('sha256').update(version).update(FLAGS.join(' ')).update(text);
  for (const file of [join(runtime, 'package.json'), join(addonApi, 'package.json')]) {
    key.update(readFileSync(file));
  }
  const compiled = join(cache, `pty-${arch}-${key.digest('hex')}.node`);
  if (!existsSync(compiled)) {
    mkdirSync(cache, { recursive: true });
    const draft = `${compiled}.${process.pid}`;
    const includes = ['-I', join(runtime, 'include', 'node'), '-I', addonApi];
    run(compiler, ['-x', 'c++', '-', '-o', draft, ...includes, ...FLAGS], { input: text });
    renameSync(draft, compiled);
  }
  if (arch === process.arch) placeForSources(compiled, join(pty, 'build', 'Release'));
  return compiled;
}

/** Puts the part where node-pty looks for it: what runs from the sources loads what the binary holds. */
function placeForSources(compiled, folder) {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `pty.node.${process.pid}`);
  copyFileSync(compiled, draft);
  renameSync(draft, join(folder, 'pty.node'));
}

function withAdditions(source) {
  let text = source;
  for (const [line, addition] of ADDITIONS) {
    const [before, after, ...more] = text.split(line);
    if (after === undefined || more.length > 0) {
      throw new Error(
        `build/native/native.mjs adds to a line of node-pty that is not there once: ${line.trim()}`,
      );
    }
    text = before + line + addition + after;
  }
  return text;
}
