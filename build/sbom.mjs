import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { bundledPackages, COMPILED_IN } from './third-party.mjs';
import { run } from './tools.mjs';

/**
 * Returns the bill of materials of a binary in CycloneDX 1.5 (JSON). It lists the npm packages of the bundled
 * files `sources`, the components that are compiled into the native libraries, and the Node runtime with its
 * components. The serial number derives from the bytes of the binary, so that equal binaries have equal
 * bills.
 */
export function billOfMaterials(binary, arch, sources, runtimeBinary) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const hash = createHash('sha256').update(readFileSync(binary)).digest('hex');
  const versions = JSON.parse(run(runtimeBinary, ['-p', 'JSON.stringify(process.versions)']));
  const { node, ...parts } = versions;
  const components = [
    ...bundledPackages(sources).map(npmComponent),
    ...COMPILED_IN.map(compiledComponent),
    { ...component('node', node), type: 'platform', purl: `pkg:generic/node@${node}` },
    ...Object.entries(parts).map(([part, release]) => component(part, release)),
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

function compiledComponent({ name, version, license, isNpmPackage }) {
  if (isNpmPackage === true) return npmComponent({ name, version: version(), license });
  return licensed(component(name, version()), license);
}

function npmComponent({ name, version, license }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return licensed({ ...component(name, version), purl }, license);
}

function component(name, version) {
  return { type: 'library', name, version };
}

function licensed(part, id) {
  return { ...part, licenses: [{ license: { id } }] };
}

/** Returns a UUID of version 8 (RFC 9562) that is made of the first digits of a hexadecimal hash. */
function uuidOf(hash) {
  const digits = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
