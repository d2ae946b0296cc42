import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageFolder } from '../packages.mjs';
import { cache, root } from '../paths.mjs';
import { debianPackage, run, toolFor, versionOf } from '../tools.mjs';

/**
 * Compiler flags as in node-pty's binding.gyp. libstdc++ is not linked statically: the runtime and lmdb load
 * it anyway, and a static copy would require a newer version of glibc.
 */
const FLAGS = [
  ...['-std=c++17', '-O2', '-fPIC', '-shared', '-s', '-fvisibility=hidden', '-D_FORTIFY_SOURCE=2'],
  ...['-DNODE_GYP_MODULE_NAME=pty', '-DBUILDING_NODE_EXTENSION', '-DNAPI_CPP_EXCEPTIONS', '-lutil'],
];

/**
 * Sources of the functions that Node lacks: credentials of the peer of a Unix socket, pipe2(2), functions of
 * the allocator, _exit(2), datagrams to Unix sockets.
 */
const FUNCTIONS = ['peer-credentials.cc', 'pipe.cc', 'memory.cc', 'exit.cc', 'notify.cc'].map(file =>
  readFileSync(join(root, 'build/native', file), 'utf8'),
);

/**
 * Additions to node-pty's source. Each addition follows a text that occurs exactly once in the source. The
 * first addition closes all other files of the hub before a program starts on a terminal. The second addition
 * prevents that later child processes of the hub inherit the terminal, to which they could write. The last
 * three additions add FUNCTIONS.
 */
const ADDITIONS = [
  ['        environ = env;\n', '        closefrom(3);\n'],
  ['    default:\n      if (pty_nonblock(master) == -1', ' || fcntl(master, F_SETFD, FD_CLOEXEC) == -1'],
  [
    '#include <sys/ioctl.h>\n',
    '#include <malloc.h>\n#include <stddef.h>\n#include <sys/socket.h>\n#include <sys/un.h>\n',
  ],
  ['/**\n * Init\n */\n', FUNCTIONS.join('')],
  [
    'Napi::Function::New(env, PtyGetProc));\n',
    [
      ['peer', 'Peer'],
      ['pipe', 'Pipe'],
      ['limitFreed', 'LimitFreed'],
      ['trim', 'Trim'],
      ['exit', 'Exit'],
      ['notify', 'Notify'],
    ]
      .map(([name, fn]) => `  exports.Set("${name}", Napi::Function::New(env, ${fn}));\n`)
      .join(''),
  ],
];

/**
 * Texts in lmdb's native library and their replacements. If a page cannot be written, LMDB formats the first
 * text into a buffer of 100 bytes (mdb.c, mdb_page_flush). Large numbers overflow the buffer, and two of the
 * numbers are uninitialized memory. The replacement contains no numbers and always fits. LMDB prints the
 * other texts to stderr, in the middle of the hub's log.
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
 * Creates a copy of lmdb's native library in which REPLACED_TEXTS are replaced, and returns its path. The
 * copy is in the folder where lmdb searches for its library (`LMDB_PREBUILD`), so that tests of the sources
 * load the same library as the binary.
 */
export function patchLmdb(arch) {
  const bytes = readFileSync(join(packageFolder(`@lmdb/lmdb-linux-${arch}`), 'node.napi.glibc.node'));
  for (const [text, replacement] of REPLACED_TEXTS) {
    const whole = `\0${text}\0`;
    const at = bytes.indexOf(whole);
    if (at === -1 || bytes.includes(whole, at + 1)) {
      throw new Error(
        `build/native/native.mjs replaces a text of lmdb that does not occur exactly once: ${text}`,
      );
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
 * Returns a function that copies a native file without its symbols, and returns the path of the copy. The
 * symbols are four fifths of lmdb's library. If strip is not installed, prints a warning and copies the
 * symbols, too.
 */
export function stripperFor(arch) {
  const strip = toolFor('strip', arch);
  const found = versionOf(strip) !== undefined;
  if (!found) {
    const packages = debianPackage('binutils', arch);
    process.stderr.write(
      `build: no ${strip}, so the binary is larger than necessary: install ${packages}.\n`,
    );
  }
  return (source, target) => {
    copyFileSync(source, target);
    if (found) run(strip, [target]);
    return target;
  };
}

/**
 * Compiles node-pty's native library from its source with the headers of the runtime. If there is no
 * compiler, prints a warning and returns undefined. The binary then has no terminals, and modules get sockets
 * instead of pipes.
 */
export function compileTerminal(runtime, arch) {
  const compiler = toolFor('g++', arch);
  const version = versionOf(compiler);
  if (version === undefined) {
    const packages = debianPackage('g++', arch);
    process.stderr.write(
      `build: no ${compiler}, so this binary has no terminals ("tty"), and modules get sockets for pipes: install ${packages} and build again.\n`,
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

/**
 * Copies the library to the folder where node-pty searches for it, so that a hub that runs from sources loads
 * the same library as the binary.
 */
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
        `build/native/native.mjs adds to a line of node-pty that does not occur exactly once: ${line.trim()}`,
      );
    }
    text = before + line + addition + after;
  }
  return text;
}
