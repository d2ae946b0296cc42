import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { storedJson } from '../../src/core/files/stored-json.ts';

const damaged = suite('hub: damaged state');

damaged('a stored hub state that is not JSON is treated as missing', () => {
  for (const text of ['', '{', 'null{', '\0', '['.repeat(100_000)])
    assert.is(storedJson(Buffer.from(text)), undefined);
  assert.is(storedJson(undefined), undefined);
  assert.equal(storedJson(Buffer.from('{"a":1}')), { a: 1 });
});

damaged.run();
