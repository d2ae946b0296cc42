import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './paths.mjs';

const modules = join(root, 'node_modules');
const lmdb = join(modules, 'lmdb', 'dependencies');
const requireFromTerminal = createRequire(join(modules, 'node-pty', 'package.json'));
const addonApi = dirname(requireFromTerminal.resolve('node-addon-api/package.json'));

/**
 * Components that are compiled into the native libraries. No import of a source file shows these components.
 */
export const COMPILED_IN = [
  {
    title: 'LMDB',
    name: 'liblmdb',
    license: 'OLDAP-2.8',
    licenceFile: join(lmdb, 'lmdb', 'libraries', 'liblmdb', 'LICENSE'),
    version: () =>
      versionIn(join(lmdb, 'lmdb', 'libraries', 'liblmdb', 'lmdb.h'), 'MDB_VERSION', [
        'MAJOR',
        'MINOR',
        'PATCH',
      ]),
  },
  {
    title: 'LZ4',
    name: 'lz4',
    license: 'BSD-2-Clause',
    licenceFile: join(lmdb, 'lz4', 'lib', 'LICENSE'),
    version: () => versionIn(join(lmdb, 'lz4', 'lib', 'lz4.h'), 'LZ4_VERSION', ['MAJOR', 'MINOR', 'RELEASE']),
  },
  {
    title: 'node-addon-api',
    name: 'node-addon-api',
    isNpmPackage: true,
    license: 'MIT',
    licenceFile: join(addonApi, 'LICENSE.md'),
    version: () => manifestOf(addonApi).version,
  },
];

/**
 * Returns the npm packages to which the bundled files `sources` belong, each with its folder and
 * package.json.
 */
export function bundledPackages(sources) {
  const folders = new Set(sources.map(packageOf).filter(folder => folder !== undefined));
  return Array.from(folders)
    .sort()
    .map(name => join(root, name))
    .map(folder => ({ folder, ...manifestOf(folder) }));
}

/** Returns the package folder of a bundled file. Undefined for a file of this project. */
function packageOf(source) {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(source)?.[0];
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Returns the version that a C header defines in the macros `<prefix>_<field>`. */
function versionIn(header, prefix, fields) {
  const text = readFileSync(header, 'utf8');
  const numbers = fields.map(field => new RegExp(`#define ${prefix}_${field}\\s+(\\d+)`).exec(text)?.[1]);
  if (numbers.includes(undefined))
    throw new Error(`build/third-party.mjs does not find the version in ${header}.`);
  return numbers.join('.');
}
