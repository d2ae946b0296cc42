import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { lockFolder } from '../../src/queue/lock.ts';

const locks = suite('queue: the lock of a data folder');

const codeOf = (thrown: unknown): unknown => (thrown instanceof Failure ? thrown.code : thrown);

locks('what a killed hub was just spawning may let go of it; another hub does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-lock-'));
  const first = await lockFolder(folder);
  let pauses = 0;
  const second = await lockFolder(folder, async () => {
    pauses++;
    if (pauses === 3) first.release();
    await new Promise(resolve => setImmediate(resolve));
  });
  assert.ok(pauses >= 3, String(pauses));
  pauses = 0;
  const refused = await lockFolder(folder, async () => {
    pauses++;
  }).then(() => 'taken', codeOf);
  assert.is(refused, 'data.locked');
  assert.is(pauses, 10);
  assert.is(await lockFolder(folder).then(() => 'taken', codeOf), 'data.locked');
  second.release();
  rmSync(folder, { recursive: true });
});

locks.run();
