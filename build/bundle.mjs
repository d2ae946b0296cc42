import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './paths.mjs';

/**
 * Modules that the bundle replaces, by import name. lmdb and node-pty search for their native libraries in
 * files, which a single executable does not have. The other modules are never used.
 */
const SUBSTITUTES = {
  lmdb: { path: 'node_modules/lmdb/dist/index.cjs' },
  'cbor-x': { path: 'node_modules/cbor-x/dist/index-no-eval.cjs' },
  'node-gyp-build-optional-packages': {
    contents: "module.exports = () => require('./src/core/files/native.ts').loadNative('lmdb');",
  },
  // All tables of LMDB are opened with binary values, so the decoder is never used.
  msgpackr: {
    contents: "exports.Encoder = class { constructor() { throw new Error('lmdb: not binary'); } };",
  },
  debug: { contents: 'module.exports = () => () => {};' },
  'readable-stream': { contents: "module.exports = require('node:stream');" },
  './windowsTerminal': { contents: '' },
};

/** Matches the source file of node-pty that searches for node-pty's native library. */
const PTY_SEARCH = /node-pty\/lib\/utils\.js$/;

/** Replacement of the file that PTY_SEARCH matches. Exports the two functions that node-pty uses. */
const PTY_LOADER = `
  exports.assign = Object.assign;
  exports.loadNativeModule = () => ({ dir: '', module: require('./src/core/files/native.ts').loadNative('pty') });
`;

/**
 * Pieces of packages that the bundle replaces. Each piece must occur exactly once in its file.
 *
 * cbor-x checks by an exception if `eval` is forbidden, although its variant without `eval` never uses the
 * result. To print the exception, V8 reads the whole source of cbor-x again, which costs 2 ms of each start.
 * lmdb prints the error of each failed transaction to stderr, although it also rejects a promise with the
 * error.
 */
const REPLACED_PIECES = [
  {
    file: /cbor-x\/dist\/index-no-eval\.cjs$/,
    piece: "new BlockedFunction ('');",
    replacement: 'throw undefined;',
  },
  {
    file: /lmdb\/dist\/index\.cjs$/,
    piece: /console\.error\(error\);(?=\s+if \(commitRejectPromise\))/,
    replacement: '',
  },
];

/** Source files of the programs. The main bundle loads one of them from the binary on demand. */
const PROGRAMS = { hub: 'src/cli/main-up.ts', commands: 'src/cli/main-commands.ts' };
const PROGRAM = /\/src\/cli\/main-(up|commands)\.ts$/;

const loaderOf = name => `
  import { runProgram } from './build/program.mjs';
  export const { main } = runProgram('${name}', require, __filename, __dirname);
`;

/** Wrapper that turns a program into a function with the variables of a CommonJS module as parameters. */
const WRAPPED = {
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

/** Creates the plugin that replaces modules. Adds the name of each replaced module to `used`. */
function substitutes(used) {
  const escaped = Object.keys(SUBSTITUTES).map(name => name.replace(/[./]/g, '\\$&'));
  return {
    name: 'substitutes',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${escaped.join('|')})$`) }, ({ path }) => {
        used.add(path);
        const { path: file } = SUBSTITUTES[path];
        return file === undefined ? { path, namespace: 'substitute' } : { path: join(root, file) };
      });
      build.onLoad({ filter: /.*/, namespace: 'substitute' }, ({ path }) => ({
        contents: SUBSTITUTES[path].contents,
        resolveDir: root,
      }));
      build.onLoad({ filter: PTY_SEARCH }, () => {
        used.add('node-pty');
        return { contents: PTY_LOADER, resolveDir: root };
      });
      for (const { file, piece, replacement } of REPLACED_PIECES) {
        build.onLoad({ filter: file }, ({ path }) => {
          const [before, after, ...more] = readFileSync(path, 'utf8').split(piece);
          if (after === undefined || more.length > 0)
            throw new Error(
              `build/bundle.mjs replaces a piece that does not occur exactly once in ${path}: ${piece}`,
            );
          return { contents: before + replacement + after, loader: 'js' };
        });
      }
      build.onLoad({ filter: PROGRAM }, ({ path }) => {
        if (build.initialOptions.entryPoints.includes(path)) return undefined;
        const [name] = Object.entries(PROGRAMS).find(([, source]) => path === join(root, source));
        return { contents: loaderOf(name), resolveDir: root };
      });
    },
  };
}

/**
 * Bundles each program and the main file into files in `work`. The bundles contain the hashes of the native
 * libraries in `assets`. Returns the paths of the bundles, and the source files that the bundles contain.
 */
export async function bundle(work, assets) {
  const used = new Set();
  const main = join(work, 'main.cjs');
  const sources = await bundleOne(join(root, 'src', 'main.ts'), main, assets, used);
  const programs = {};
  for (const [name, source] of Object.entries(PROGRAMS)) {
    programs[name] = join(work, `${name}.cjs`);
    sources.push(...(await bundleOne(join(root, source), programs[name], assets, used, WRAPPED)));
  }
  const idle = [...Object.keys(SUBSTITUTES), 'node-pty'].filter(name => !used.has(name));
  if (idle.length > 0)
    throw new Error(`build/bundle.mjs replaces ${idle.join(', ')}, which no source file imports.`);
  return { main, programs, sources };
}

async function bundleOne(entry, outfile, assets, used, around = {}) {
  const { metafile } = await esbuild.build({
    entryPoints: [entry],
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // A program is not loaded from a module file, so its dynamic imports become `require`.
    supported: { 'dynamic-import': false },
    minify: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: {
      NATIVE_HASHES: JSON.stringify(hashesOf(assets)),
      // Tells ws that its optional native packages are not installed.
      'process.env.WS_NO_BUFFER_UTIL': '"1"',
      'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
    },
    plugins: [substitutes(used)],
    ...around,
  });
  const [output] = Object.values(metafile.outputs);
  return Object.keys(output.inputs);
}

function hashesOf(assets) {
  const hash = file => createHash('sha256').update(readFileSync(file)).digest('hex');
  return Object.fromEntries(Object.entries(assets).map(([name, file]) => [name, hash(file)]));
}
