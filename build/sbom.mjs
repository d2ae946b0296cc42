import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonApi, bundledPackages } from './licences.mjs';
import { root } from './paths.mjs';
import { run } from './tools.mjs';

const libraries = join(root, 'node_modules', 'lmdb', 'dependencies');

/** Components that lmdb and node-pty compile into their native parts, with the source of their versions. */
const COMPILED_IN = [
  {
    name: 'liblmdb',
    license: 'OLDAP-2.8',
    header: join(libraries, 'lmdb', 'libraries', 'liblmdb', 'lmdb.h'),
    fields: ['MDB_VERSION_MAJOR', 'MDB_VERSION_MINOR', 'MDB_VERSION_PATCH'],
  },
  {
    name: 'lz4',
    license: 'BSD-2-Clause',
    header: join(libraries, 'lz4', 'lib', 'lz4.h'),
    fields: ['LZ4_VERSION_MAJOR', 'LZ4_VERSION_MINOR', 'LZ4_VERSION_RELEASE'],
  },
];

function compiledComponent({ name, license, header, fields }) {
  const text = readFileSync(header, 'utf8');
  const numbers = fields.map(field => new RegExp(`#define ${field}\\s+(\\d+)`).exec(text)?.[1]);
  if (numbers.includes(undefined)) throw new Error(`build/sbom.mjs does not find the version in ${header}.`);
  return { ...library({ name, version: numbers.join('.') }), licenses: [{ license: { id: license } }] };
}

/**
 * The bill of materials of a binary in CycloneDX 1.5 (JSON): the npm packages of which `sources` are the
 * bundled files, what the native parts hold, and the runtime with what it holds. The serial number derives
 * from the bytes of the binary, so that equal binaries have equal bills.
 */
export function billOfMaterials(binary, arch, sources, runtimeBinary) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const hash = createHash('sha256').update(readFileSync(binary)).digest('hex');
  const versions = JSON.parse(run(runtimeBinary, ['-p', 'JSON.stringify(process.versions)']));
  const { node, ...parts } = versions;
  const components = [
    ...bundledPackages(sources).map(npmComponent),
    ...COMPILED_IN.map(compiledComponent),
    npmComponent(addonApi()),
    { ...library({ name: 'node', version: node }), type: 'platform', purl: `pkg:generic/node@${node}` },
    ...Object.entries(parts).map(([part, release]) => library({ name: part, version: release })),
  ];
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(hash)}`,
    version: 1,
    metadata: {
      component: {
        type: 'application',
        name: `${name}-linux-${arch}`,
        version,
        licenses: [{ license: { id: license } }],
        hashes: [{ alg: 'SHA-256', content: hash }],
      },
    },
    components,
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

function npmComponent({ name, version, license }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { ...library({ name, version }), purl, licenses: [{ license: { id: license } }] };
}

function library({ name, version }) {
  return { type: 'library', name, version };
}

/** A UUID of version 8 (RFC 9562) from the first bytes of a hash in hexadecimal. */
function uuidOf(hash) {
  const digits = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
