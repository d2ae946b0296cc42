import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_DESIRED_BYTES, MAX_DESIRED_NESTING } from '../../../src/manifest/limits.ts';
import { parseManifest } from '../../../src/manifest/read.ts';
import { desiredProblem } from '../../../src/manifest/schema/desired.ts';

function read(desired: unknown): unknown {
  const modules = { m: { exec: ['./m'], desired } };
  return parseManifest(JSON.stringify({ name: 'a', modules }), 'm.json').modules[0]?.desired;
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { in: nested(depth - 1) };
}

const desired = suite('manifest: desired properties');

desired('desired properties with a reserved name are refused, and all others are kept unchanged', () => {
  const text = '{"proto":{"a":[1,null]},"b":"é"}';
  assert.is(JSON.stringify(read(JSON.parse(text))), text);
  assert.is(read(undefined), undefined);
  assert.throws(() => read(JSON.parse('{"__proto__":1}')), /desired.__proto__ is a reserved name/);
  assert.match(desiredProblem({ a: [{ constructor: 1 }] }) ?? '', /must not have fields called/);
});

desired('desired properties that are not an object are refused', () => {
  for (const value of [null, 1, 'x', [], true]) {
    assert.throws(() => read(value), /^modules\.m\.desired must be an object/);
  }
});

desired('desired properties above the maximum bytes or the maximum depth are refused', () => {
  const frame = Buffer.byteLength('{"a":""}');
  assert.ok(read({ a: 'x'.repeat(MAX_DESIRED_BYTES - frame) }));
  assert.throws(
    () => read({ a: 'x'.repeat(MAX_DESIRED_BYTES - frame + 1) }),
    /^modules\.m\.desired .* bytes/,
  );
  assert.throws(() => read({ a: 'é'.repeat(MAX_DESIRED_BYTES / 2) }), /bytes/);
  assert.ok(read(nested(MAX_DESIRED_NESTING)));
  assert.throws(
    () => read(nested(MAX_DESIRED_NESTING + 1)),
    /^modules\.m\.desired .* levels of nested objects and arrays/,
  );
  const deep = `${'{"in":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  const text = `{"name":"a","modules":{"m":{"exec":["./m"],"desired":${deep}}}}`;
  assert.throws(() => parseManifest(text, 'm.json'), /nested too deeply/);
});

desired.run();
