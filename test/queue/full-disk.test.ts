import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import type { Stage } from './stage.ts';
import { createStage, messageOf, texts, to } from './stage.ts';

/** MB of a disk of the test's own: the reserve, the journals, and some messages. */
const DISK = 12;

const disk = suite('queue: a full disk');

/** Runs `scenario` on a small file system of its own. */
async function onDisk(scenario: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-disk-'));
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}M,mode=0700`, 'tmpfs', folder]);
  if (mount.status !== 0) {
    rmdirSync(folder);
    process.stdout.write('\nskipped: a full disk: file systems cannot be mounted here\n');
    return;
  }
  try {
    await scenario(folder);
  } finally {
    spawnSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  }
}

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
  onDisk(async folder => {
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
    onDisk(async folder => {
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
      assert.match(stage.store.health().reason ?? '', /cannot be written/);
      rmSync(join(folder, 'others'));
      await stage.pass(5_000);
      assert.is(stage.store.health().state, 'working');
      await stage.restart();
      assert.equal(texts(stage.peek('a')), []);
      assert.is(await stage.append(messageOf('y'), [to('a')]), undefined);
      await stage.store.close();
    }),
);

/** Writes into a file until the disk takes no byte more. */
function takeAllSpace(file: string): void {
  const fd = openSync(file, 'w');
  for (let bytes = 1 << 20; bytes > 0; ) {
    try {
      writeSync(fd, Buffer.alloc(bytes, 1));
    } catch {
      bytes >>= 1;
    }
  }
  closeSync(fd);
}

disk.run();
