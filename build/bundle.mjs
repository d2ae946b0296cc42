import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './paths.mjs';

/**
 * Replacements of modules in the bundle, by import name. lmdb and node-pty search for their native parts in
 * files that a single executable does not have; the rest is never used.
 */
const SUBSTITUTES = {
  lmdb: { path: 'node_modules/lmdb/dist/index.cjs' },
  'cbor-x': { path: 'node_modules/cbor-x/dist/index-no-eval.cjs' },
  'node-gyp-build-optional-packages': {
    contents: "module.exports = () => require('./src/core/files/native.ts').loadNative('lmdb');",
  },
  // Every table is opened with binary values.
  msgpackr: {
    contents: "exports.Encoder = class { constructor() { throw new Error('lmdb: not binary'); } };",
  },
  debug: { contents: 'module.exports = () => () => {};' },
  'readable-stream': { contents: "module.exports = require('node:stream');" },
  './windowsTerminal': { contents: '' },
};

/** node-pty's search for its native part, of which two functions are used. */
const PTY_SEARCH = /node-pty\/lib\/utils\.js$/;
const PTY_LOADER = `
  exports.assign = Object.assign;
  exports.loadNativeModule = () => ({ dir: '', module: require('./src/core/files/native.ts').loadNative('pty') });
`;

/**
 * Pieces of packages that the bundle replaces, each found once in its file. cbor-x finds out whether there is
 * a function that its variant without `eval` never has: V8 reads all of cbor-x once more for the words of
 * that error, 2 ms of each start. lmdb prints the error of each failed transaction to stderr, besides
 * rejecting a promise with it.
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

/** The programs: the main bundle takes one of them from the binary when it is asked for. */
const PROGRAMS = { hub: 'src/cli/main-up.ts', commands: 'src/cli/main-commands.ts' };
const PROGRAM = /\/src\/cli\/main-(up|commands)\.ts$/;

const loaderOf = name => `
  import { runProgram } from './build/program.mjs';
  export const { main } = runProgram('${name}', require, __filename, __dirname);
`;

/** Wrapper that makes a program a function of the CommonJS module variables. */
const WRAPPED = {
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

/** `used` takes in what was asked for. */
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
            throw new Error(`build/bundle.mjs replaces a piece that is not once in ${path}: ${piece}`);
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
 * Bundles the programs, and what runs one of them, into a file each in `work`, with the hashes of the native
 * `assets`. Returns the files and the sources that they were made of.
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
    throw new Error(`build/bundle.mjs replaces ${idle.join(', ')}, which nothing imports any more.`);
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
    // A program is no module of a file, so what it loads late comes by `require` too.
    supported: { 'dynamic-import': false },
    minify: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: {
      NATIVE_HASHES: JSON.stringify(hashesOf(assets)),
      // Native parts of ws that are packages of their own, and not installed.
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
