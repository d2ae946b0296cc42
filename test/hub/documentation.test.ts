import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grantsOf } from '../../src/auth/grants.ts';
import { parseManifest } from '../../src/manifest/read.ts';

/** Returns the indented blocks of a page under docs/. */
function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return text.match(/(?:^ {4}.*\n)+/gm) ?? [];
}

const documentation = suite('hub: documentation');

documentation('the listeners in the documentation are valid', () => {
  const entries = examplesOf('reference/listeners.md').flatMap(block => block.split(/(?<=\})\n(?= {4}\{)/));
  assert.is(entries.length, 7);
  for (const entry of entries) {
    assert.is(parseManifest(`{"name":"a","listeners":[${entry}]}`, 'm.json').listeners.length, 1, entry);
  }
});

documentation('the grants in the documentation are valid', () => {
  const fields = examplesOf('reference/access.md').filter(block => block.trimStart().startsWith('"'));
  assert.is(fields.length, 3);
  const grants = grantsOf(parseManifest(`{"name":"a",${fields.join(',')}}`, 'm.json'));
  assert.equal([...grants.users.keys(), ...grants.modules.keys()], ['kitchen', 'gate', 'logger']);
});

documentation('the serial number and the secrets in the documentation are valid', () => {
  const fields = examplesOf('reference/signing.md').filter(block => block.trimStart().startsWith('"'));
  assert.is(fields.length, 3);
  const { serial, for: devices, modules } = parseManifest(`{"name":"a",${fields.join(',')}}`, 'm.json');
  assert.equal([serial, devices], [42, ['floor1', 'shop-*']]);
  assert.equal(
    modules[0]?.secrets.map(({ name, as }) => [name, as]),
    [
      ['API_TOKEN', 'variable'],
      ['TLS_KEY', 'file'],
    ],
  );
});

documentation('the bundle in the documentation is valid', () => {
  const [, fields = ''] = examplesOf('reference/bundles.md');
  const [camera] = parseManifest(`{"name":"a",${fields}}`, 'm.json').modules;
  assert.equal(camera?.bundle, {
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    from: 'camera.tar.gz',
    size: 256 << 20,
    files: 10_000,
  });
});

documentation('the desired properties in the documentation are valid', () => {
  const shown = examplesOf('how-to/migrate-from-azure-iot-edge.md').find(block =>
    block.includes('"modules"'),
  );
  assert.equal(parseManifest(`{"name":"a",${shown}}`, 'm.json').modules[0]?.desired, { SendInterval: 5 });
});

documentation('the fields of modules in the documentation are valid', () => {
  const fields = examplesOf('reference/modules.md').filter(block => block.trimStart().startsWith('"'));
  assert.ok(fields.length >= 5);
  for (const text of fields) {
    const module = `{"exec":["a"],${text}}`;
    assert.not.throws(() => parseManifest(`{"name":"a","modules":{"m":${module}}}`, 'm.json'), text);
  }
});

documentation('the upstreams and deployments in the documentation are valid', () => {
  const pages = ['reference/upstreams.md', 'explanation/deployments.md'];
  const fields = pages.flatMap(examplesOf).filter(block => /^ *"(?!greenhouse)/.test(block));
  assert.ok(fields.length >= 7);
  for (const text of fields) assert.not.throws(() => parseManifest(`{"name":"a",${text}}`, 'm.json'), text);
});

documentation.run();
