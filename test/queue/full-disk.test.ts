import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { createStage, messageOf, texts, to } from './stage.ts';

/** MB of a disk of the test's own: the reserve, the journals, and some messages. */
const DISK = 12;

const disk = suite('queue: a full disk');

disk('refuses what is new, loses nothing, can be drained, and takes messages again by itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-disk-'));
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}M,mode=0700`, 'tmpfs', folder]);
  if (mount.status !== 0) {
    rmdirSync(folder);
    process.stdout.write('\nskipped: a full disk: file systems cannot be mounted here\n');
    return;
  }
  try {
    const stage = await createStage({ folder });
    const kept: string[] = [];
    let refusal: Error | undefined;
    for (let n = 0; refusal === undefined && n < 5000; n++) {
      const text = `${n} ${'x'.repeat(20_000)}`;
      refusal = await stage.append(messageOf(text), [to('a')]);
      if (refusal === undefined) kept.push(text);
    }
    assert.is(refusal instanceof Failure && refusal.code, 'store.full');
    assert.match(refusal?.message ?? '', /disk of the store/);
    assert.ok(kept.length > 50, `only ${kept.length} were kept`);
    await stage.restart();
    assert.equal(texts(stage.peek('a')), kept);

    const drain = stage.store.drain('a', {
      window: 10,
      send: entry => {
        drain.acknowledge(entry);
        return true;
      },
    });
    drain.wake();
    await stage.pass(5_000);
    drain.stop();
    for (let n = 0; n < 20; n++)
      assert.is(await stage.append(messageOf('y'.repeat(20_000)), [to('b')]), undefined);
    assert.equal(stage.errors, []);
    await stage.store.close();
  } finally {
    spawnSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  }
});

disk.run();
