import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages, COMPILED_IN } from './third-party.mjs';

/** Returns the licence texts of all third-party code in a binary. `sources` are the bundled files. */
export function licenceTexts(sources, runtime) {
  const texts = [
    ...bundledPackages(sources).map(licenceOf),
    ...COMPILED_IN.map(({ title, licenceFile }) => section(title, readFileSync(licenceFile, 'utf8'))),
    section('Node.js and what it holds', readFileSync(join(runtime, 'LICENSE'), 'utf8')),
  ];
  return texts.join('\n');
}

function licenceOf({ folder, name, version, license, author }) {
  const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined
      ? `Licence by its package.json: ${license}, by ${author?.name ?? author}.\n`
      : readFileSync(join(folder, file), 'utf8');
  return section(`${name} ${version}`, text);
}

function section(title, text) {
  return `${'='.repeat(78)}\n${title}\n${'='.repeat(78)}\n\n${text.trim()}\n`;
}
