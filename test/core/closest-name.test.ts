import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { closestName } from '../../src/core/text/closest-name.ts';

const nearest = suite('core: closest name');

const KNOWN = ['restart', 'require', 'sandbox', 'stopSignal', 'io', 'user', 'env'];

const MEANT: readonly (readonly [word: string, name: string | undefined])[] = [
  ['restat', 'restart'],
  ['Restart', 'restart'],
  ['rseatrt', 'restart'],
  ['stop-signal', 'stopSignal'],
  ['oi', 'io'],
  ['users', 'user'],
  ['environment', undefined],
  ['colour', undefined],
  ['', undefined],
  ['x'.repeat(41), undefined],
];

nearest('`closestName` returns the name of a misspelled word, and undefined for an unrelated word', () => {
  for (const [word, name] of MEANT) assert.is(closestName(word, KNOWN), name, word);
});

nearest('`closestName` ignores names above the maximum length', () => {
  const long = 'restart'.repeat(1 << 17);
  assert.is(closestName('restat', [long, 'restart']), 'restart');
  assert.is(closestName('restat', [long, long]), undefined);
});

nearest.run();
