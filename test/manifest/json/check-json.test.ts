import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_MANIFEST_BYTES, MAX_MANIFEST_DEPTH } from '../../../src/core/limits.ts';
import { findJsonError } from '../../../src/manifest/json/check-json.ts';

const json = suite('manifest: check of JSON');

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const value = fc.jsonValue({ maxDepth: 6 }).map(made => JSON.stringify(made));

/** JSON text with one part changed. */
const damaged = fc
  .tuple(
    value,
    fc.nat(),
    fc.nat(3),
    fc.oneof(fc.constantFrom(...'{}[],:"\\/0123456789.eE+-truefalsn \n\t\r\u0000\ufeff\u2028'), fc.string()),
  )
  .map(([text, at, length, piece]) => {
    const place = at % (text.length + 1);
    return `${text.slice(0, place)}${piece}${text.slice(place + length)}`;
  });

json('`findJsonError` accepts the output of `JSON.stringify`', () => {
  const spaced = fc.tuple(value, fc.constantFrom(0, 1, '\t')).map(([text, space]) => {
    const parsed: unknown = JSON.parse(text);
    return JSON.stringify(parsed, undefined, space);
  });
  fc.assert(fc.property(spaced, text => (findJsonError(text)?.kind ?? 'name') === 'name'));
});

json('`findJsonError` accepts exactly the texts that `JSON.parse` accepts', () => {
  const agree = (text: string): void => {
    const jsonError = findJsonError(text);
    // A duplicate name ends the check; later text is not examined.
    if (jsonError?.kind === 'name') return;
    assert.is(jsonError === undefined, parses(text), JSON.stringify(text));
  };
  fc.assert(fc.property(damaged, agree), { numRuns: 5000 });
});

json('a duplicated field name is found at any depth and with any escapes', () => {
  const key = fc
    .string({ minLength: 1 })
    .filter(name => !['__proto__', 'prototype', 'constructor'].includes(name));
  const escaped = (name: string): string =>
    `"${Array.from({ length: name.length }, (_, at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
  const names = fc.uniqueArray(key, { minLength: 1, maxLength: 6 });
  const found = (all: readonly string[], which: number, inner: string): void => {
    fc.pre(findJsonError(inner) === undefined);
    const again = all[which % all.length] ?? '';
    const fields = all.map(name => `${JSON.stringify(name)}:${inner}`).join(',');
    assert.is(findJsonError(`[0,{"a":{${fields}}}]`), undefined);
    const jsonError = findJsonError(`[0,{"a":{${fields},${escaped(again)}:1}}]`);
    assert.equal(jsonError, { kind: 'name', problem: 'is duplicated', path: [1, 'a', again] });
  };
  fc.assert(fc.property(names, fc.nat(), value, found));
});

json('the error offset of `findJsonError` equals the error offset of `JSON.parse`', () => {
  const told = (text: string): number | undefined => {
    try {
      JSON.parse(text);
    } catch (thrown) {
      const place = /at position (\d+)/.exec(String(thrown))?.[1];
      return place === undefined ? undefined : Number(place);
    }
    return undefined;
  };
  let seen = 0;
  for (const text of [
    '{"a":1,}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '[1 2]',
    '[1,2',
    '{a:1}',
    '{"a":1}}',
    '["\t"]',
  ]) {
    const jsonError = findJsonError(text);
    const place = told(text);
    if (place === undefined || jsonError === undefined || jsonError.kind === 'name') continue;
    seen += 1;
    assert.is(jsonError.offset, place, text);
  }
  assert.ok(seen >= 6, String(seen));
});

json('`findJsonError` does not exhaust the stack on deep or long texts', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  assert.is(findJsonError(nested(MAX_MANIFEST_DEPTH)), undefined);
  assert.is(findJsonError(nested(MAX_MANIFEST_DEPTH + 1))?.kind, 'depth');
  assert.is(findJsonError('['.repeat(MAX_MANIFEST_BYTES))?.kind, 'depth');
  assert.is(findJsonError(`"${'\\n'.repeat(MAX_MANIFEST_BYTES / 2)}"`), undefined);
  assert.is(findJsonError(`"${'\\n'.repeat(MAX_MANIFEST_BYTES / 2)}`)?.kind, 'syntax');
  assert.is(findJsonError(`[${'0,'.repeat(MAX_MANIFEST_BYTES / 2)}0]`), undefined);
});

json.run();
