import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { onTmpfs, takeAllSpace } from './disks.ts';
import type { Stage } from './stage.ts';
import { createStage, messageOf, texts, to } from './stage.ts';

/** MB of a disk of the test's own: the reserve, the journals, and some messages. */
const DISK = 12;

const disk = suite('queue: a full disk');

/** Appends until it is refused; returns what was kept and the refusal. */
async function fill(stage: Stage): Promise<{ kept: string[]; refusal: Error }> {
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
    const stage = await createStage({ folder: join(folder, 'store') });
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
  'a disk that others fill to the last byte: what waits is delivered, once, and all goes on when it is freed',
  () =>
    onTmpfs(DISK, async folder => {
      const stage = await createStage({ folder: join(folder, 'store') });
      const kept = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(20_000)}`);
      for (const text of kept.slice(0, 20))
        assert.is(await stage.append(messageOf(text), [to('a')]), undefined);
      await stage.restart();
      for (const text of kept.slice(20)) assert.is(await stage.append(messageOf(text), [to('a')]), undefined);
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

disk.run();
