import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './paths.mjs';

const modules = join(root, 'node_modules');
const requireFromTerminal = createRequire(join(modules, 'node-pty', 'package.json'));

/** Components that are compiled into the native libraries, so that no import shows them. */
const COMPILED_IN = [
  ['LMDB', join(modules, 'lmdb', 'dependencies', 'lmdb', 'libraries', 'liblmdb', 'LICENSE')],
  ['LZ4', join(modules, 'lmdb', 'dependencies', 'lz4', 'lib', 'LICENSE')],
  ['node-addon-api', join(dirname(requireFromTerminal.resolve('node-addon-api/package.json')), 'LICENSE.md')],
];

/** Returns the licence texts of all third-party code in a binary. `sources` are the bundled files. */
export function licenceTexts(sources, runtime) {
  const folders = new Set(sources.map(packageOf).filter(folder => folder !== undefined));
  const texts = [
    ...Array.from(folders).sort().map(licenceOf),
    ...COMPILED_IN.map(([title, file]) => section(title, readFileSync(file, 'utf8'))),
    section('Node.js and what it holds', readFileSync(join(runtime, 'LICENSE'), 'utf8')),
  ];
  return texts.join('\n');
}

/** Name, version and licence of each npm package of which `sources` are the bundled files. */
export function bundledPackages(sources) {
  const folders = new Set(sources.map(packageOf).filter(folder => folder !== undefined));
  return Array.from(folders)
    .sort()
    .map(folder => manifestOf(join(root, folder)));
}

/** Name, version and licence of the package of which node-pty compiles headers. */
export function addonApi() {
  return manifestOf(dirname(requireFromTerminal.resolve('node-addon-api/package.json')));
}

function manifestOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name, version, license };
}

/** Returns the package folder of a bundled file. Undefined for a file of this project. */
function packageOf(source) {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(source)?.[0];
}

function licenceOf(folder) {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(join(root, folder)).find(entry => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined
      ? `Licence by its package.json: ${license}, by ${author?.name ?? author}.\n`
      : readFileSync(join(root, folder, file), 'utf8');
  return section(`${name} ${version}`, text);
}

function section(title, text) {
  return `${'='.repeat(78)}\n${title}\n${'='.repeat(78)}\n\n${text.trim()}\n`;
}
