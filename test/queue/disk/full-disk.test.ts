import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { MAX_REMOVING } from '../../../src/queue/limits.ts';
import { onTmpfs, takeAllSpace } from '../../harness/disks.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../../harness/queue.ts';

/** MB of a disk of the test's own: the reserve, the journals, and some messages. */
const DISK = 12;

/** MB for more messages than removals may wait in memory. */
const LARGE_DISK = 32;

const disk = suite('queue: a full disk');

/** Appends until it is refused; returns what was kept and the refusal. */
async function fill(stage: StoreHarness): Promise<{ kept: string[]; refusal: Error }> {
  const kept: string[] = [];
  for (let n = 0; ; n++) {
    const text = `${n} ${'x'.repeat(20_000)}`;
    const refusal = await stage.append(messageOf(text), [to('a')]);
    if (refusal !== undefined) return { kept, refusal };
    kept.push(text);
  }
}

disk('refuses what is new, loses nothing, can be drained, and takes messages again by itself', () =>
  onTmpfs(DISK, async folder => {
    const stage = await createStoreHarness({ folder: join(folder, 'store') });
    const { kept, refusal } = await fill(stage);
    assert.is(refusal instanceof Failure && refusal.code, 'store.full');
    assert.match(refusal.message, /disk of the store/);
    assert.ok(kept.length > 50, `only ${kept.length} were kept`);
    assert.is(stage.store.health().state, 'full');
    await stage.restart();
    assert.equal(texts(stage.peek('a')), kept);
    assert.equal(stage.deliver('a', 10), kept);
    // The disk takes its time to give the space back.
    let refused: Error | undefined = refusal;
    for (let tries = 0; refused !== undefined && tries < 100; tries++) {
      await stage.pass(1_000);
      refused = await stage.append(messageOf('y'.repeat(20_000)), [to('b')]);
    }
    for (let n = 0; n < 20; n++)
      assert.is(await stage.append(messageOf('y'.repeat(20_000)), [to('b')]), undefined);
    assert.equal(stage.errors, []);
    await stage.store.close();
  }),
);

disk(
  'a disk that others fill to the last byte, ballast and all: what waits is delivered, once, and all goes on when it is freed',
  () =>
    onTmpfs(DISK, async folder => {
      const stage = await createStoreHarness({ folder: join(folder, 'store') });
      const kept = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(20_000)}`);
      for (const text of kept.slice(0, 20))
        assert.is(await stage.append(messageOf(text), [to('a')]), undefined);
      await stage.restart();
      for (const text of kept.slice(20)) assert.is(await stage.append(messageOf(text), [to('a')]), undefined);
      rmSync(join(folder, 'store', 'ballast'));
      takeAllSpace(join(folder, 'others'));
      await stage.pass(5_000);
      assert.is(stage.store.health().state, 'working');
      assert.instance(await stage.append(messageOf('refused'), [to('a')]), Failure);
      // The journal has its space already: what is delivered is known as delivered.
      assert.equal(stage.deliver('a', 10), kept);
      await stage.pass(10_000);
      assert.is(stage.store.health().state, 'failing');
      assert.match(
        stage.store.health().reason ?? '',
        /No space left on device: Attempting to write a page\.$/,
      );
      rmSync(join(folder, 'others'));
      await stage.pass(5_000);
      assert.is(stage.store.health().state, 'working');
      await stage.restart();
      assert.equal(texts(stage.peek('a')), []);
      assert.is(await stage.append(messageOf('y'), [to('a')]), undefined);
      await stage.store.close();
    }),
);

/** Messages of a small body that wait in `queue`, all at once. */
async function appendSmall(stage: StoreHarness, count: number): Promise<string[]> {
  const sent = Array.from({ length: count }, (_, n) => `${n}`.padEnd(100, 'x'));
  for (const text of sent)
    stage.store.append(messageOf(text), [to('a')], error => assert.is(error, undefined));
  await stage.commit();
  return sent;
}

disk(
  'a store that is opened when others have filled the disk is drained, for good, and refuses until there is space',
  () =>
    onTmpfs(LARGE_DISK, async folder => {
      const stage = await createStoreHarness({ folder: join(folder, 'store') });
      const kept = await appendSmall(stage, MAX_REMOVING + 4_000);
      await stage.store.close();
      takeAllSpace(join(folder, 'others'));
      await stage.reopen();
      assert.equal(stage.errors, []);
      const refusal = await stage.append(messageOf('refused'), [to('a')]);
      assert.is(refusal instanceof Failure && refusal.code, 'store.full');
      const delivered = stage.deliver('a', 10);
      for (let turn = 0; delivered.length < kept.length && turn < 50; turn++) {
        await stage.pass(5_000);
        delivered.push(...stage.deliver('a', 10));
      }
      assert.equal(delivered, kept);
      await stage.pass(10_000);
      assert.equal(stage.errors, []);
      await stage.restart();
      assert.equal(stage.peek('a'), []);
      rmSync(join(folder, 'others'));
      await stage.pass(20_000);
      assert.is(await stage.append(messageOf('y'), [to('a')]), undefined);
      await stage.store.close();
    }),
);

disk(
  'a store that was hardly used has the space of its journals: what it delivers on a full disk stays delivered',
  () =>
    onTmpfs(DISK, async folder => {
      const stage = await createStoreHarness({ folder: join(folder, 'store') });
      const kept = await appendSmall(stage, 3);
      takeAllSpace(join(folder, 'others'));
      for (let starts = 0; starts < 3; starts++) {
        await stage.restart();
        assert.equal(stage.errors, []);
      }
      assert.equal(stage.deliver('a', 10), kept);
      await stage.pass(2_000);
      assert.equal(stage.errors, []);
      await stage.restart();
      assert.equal(stage.peek('a'), []);
      await stage.store.close();
    }),
);

disk('a full disk without the file of locks is a sentence, not the end of the process', () =>
  onTmpfs(DISK, async folder => {
    const stage = await createStoreHarness({ folder: join(folder, 'store') });
    await stage.store.close();
    rmSync(join(folder, 'store', 'lock.mdb'));
    takeAllSpace(join(folder, 'others'));
    const thrown = await stage.reopen().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.is(thrown instanceof Failure && thrown.code, 'store.unreadable');
    assert.match(thrown instanceof Failure ? thrown.message : '', /ENOSPC/);
  }),
);

disk.run();
