import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { MAX_MANIFEST_BYTES } from '../../../src/core/limits.ts';
import { parseManifest, readManifest } from '../../../src/manifest/read.ts';
import { folderWith, removeFolder, run } from '../../harness/binary.ts';
import { REFUSED, textOf } from './refused/all.ts';
import type { Refused } from './refused/entry.ts';

const refusals = suite('manifest: refused manifests');

function sentenceOf(parse: () => unknown): string {
  try {
    parse();
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.exitCode === 2) return thrown.message;
    throw thrown;
  }
  return 'accepted';
}

/** Complete error sentence for a manifest in `file`. */
function expected({ sentence }: Refused, file: string): string {
  if (sentence.startsWith('The manifest m.json')) return sentence.replace('m.json', file);
  return sentence.endsWith('?') ? sentence : `${sentence} (in ${file}).`;
}

refusals('each invalid manifest of the table is refused with the expected sentence', () => {
  assert.ok(REFUSED.length >= 60);
  for (const entry of REFUSED) {
    const text = textOf(entry);
    assert.is(
      sentenceOf(() => parseManifest(text, 'm.json')),
      expected(entry, 'm.json'),
      text.slice(0, 200),
    );
  }
});

refusals(
  'an error of a manifest is one line that contains no possible secret and no message of a library',
  () => {
    for (const entry of REFUSED) assert.not.match(entry.sentence, /hunter2|\n|Invalid|Expected|undefined/);
  },
);

refusals('the binary prints one sentence for an invalid manifest and exits with 2', () => {
  const folder = folderWith({});
  for (const [index, entry] of REFUSED.entries()) {
    if (index % 16 !== 0) continue;
    const file = join(folder, `${index}.json`);
    writeFileSync(file, textOf(entry));
    const { code, out, err } = run(['up', file, '--data', join(folder, 'data')]);
    assert.equal({ code, out, err }, { code: 2, out: '', err: `skerry: ${expected(entry, file)}\n` });
  }
  removeFolder(folder);
});

refusals('a manifest path that is a directory, an endless file or a Latin-1 file is refused', () => {
  const folder = folderWith({});
  const file = join(folder, 'm.json');
  mkdirSync(file);
  assert.is(
    sentenceOf(() => readManifest(file)),
    `The manifest ${file} cannot be read: is a directory (EISDIR).`,
  );
  assert.is(
    sentenceOf(() => readManifest('/dev/zero')),
    'The manifest /dev/zero exceeds the maximum size of 1 MB.',
  );
  const latin = join(folder, 'latin.json');
  writeFileSync(latin, Buffer.from('{"name":"a","modules":{"m":{"exec":["caf\xe9"]}}}', 'latin1'));
  assert.is(
    sentenceOf(() => readManifest(latin)),
    `The manifest ${latin} is not UTF-8: save the file as UTF-8.`,
  );
  removeFolder(folder);
});

refusals('a manifest of the maximum size is accepted, and a manifest with one more byte is refused', () => {
  const text = '{"name":"a"}'.padEnd(MAX_MANIFEST_BYTES);
  assert.is(parseManifest(text, 'm.json').name, 'a');
  assert.match(
    sentenceOf(() => parseManifest(`${text} `, 'm.json')),
    /maximum size of 1 MB/,
  );
});

refusals.run();
