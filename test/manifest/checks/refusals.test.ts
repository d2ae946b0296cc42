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

const refusals = suite('manifest: refusals');

function sentenceOf(parse: () => unknown): string {
  try {
    parse();
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.exitCode === 2) return thrown.message;
    throw thrown;
  }
  return 'taken';
}

/** The whole sentence, for a manifest of this file. */
function expected({ sentence }: Refused, file: string): string {
  if (sentence.startsWith('The manifest m.json')) return sentence.replace('m.json', file);
  return sentence.endsWith('?') ? sentence : `${sentence} (in ${file}).`;
}

refusals('each bad manifest is refused with its sentence', () => {
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

refusals('no sentence shows a value that may be secret, spans lines, or is in the words of a library', () => {
  for (const entry of REFUSED) assert.not.match(entry.sentence, /hunter2|\n|Invalid|Expected|undefined/);
});

refusals('through the binary: the sentence, exit 2, nothing started', () => {
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

refusals('a file that is no manifest: a folder, one without an end, one in Latin-1', () => {
  const folder = folderWith({});
  const file = join(folder, 'm.json');
  mkdirSync(file);
  assert.is(
    sentenceOf(() => readManifest(file)),
    `The manifest ${file} cannot be read: it is a folder.`,
  );
  assert.is(
    sentenceOf(() => readManifest('/dev/zero')),
    'The manifest /dev/zero is larger than 1 MB, the most that is read.',
  );
  const latin = join(folder, 'latin.json');
  writeFileSync(latin, Buffer.from('{"name":"a","modules":{"m":{"exec":["caf\xe9"]}}}', 'latin1'));
  assert.is(
    sentenceOf(() => readManifest(latin)),
    `The manifest ${latin} is not UTF-8: save it in that encoding.`,
  );
  removeFolder(folder);
});

refusals('as large as may be is taken, a byte more is not', () => {
  const text = '{"name":"a"}'.padEnd(MAX_MANIFEST_BYTES);
  assert.is(parseManifest(text, 'm.json').name, 'a');
  assert.match(
    sentenceOf(() => parseManifest(`${text} `, 'm.json')),
    /larger than 1 MB/,
  );
});

refusals.run();
