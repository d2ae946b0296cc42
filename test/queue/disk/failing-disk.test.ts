import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure, reasonOf } from '../../../src/core/errors.ts';
import type { Database } from '../../../src/queue/disk/database.ts';
import { openDatabase } from '../../../src/queue/disk/database.ts';
import { onBrokenDevice, onErrorProneDisk } from '../../harness/disks.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../../harness/queue.ts';

// A write beyond the limit on the size of files fails, but for this signal, which would end the process.
process.on('SIGXFSZ', () => {});

/** Lets this process write to no file at all, or to all again. */
function limitFiles(bytes: '0' | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', [
    '--pid',
    String(process.pid),
    `--fsize=${bytes}:unlimited`,
  ]);
  assert.is(status, 0, String(stderr));
}

function codeOf(error: Error | undefined): string | undefined {
  return error instanceof Failure ? error.code : undefined;
}

/** Appends, and lets time pass until it is settled: a failed commit is tried again after a while. */
async function attempt(stage: StoreHarness, text: string): Promise<string | undefined> {
  let settled: { readonly code: string | undefined } | undefined;
  stage.store.append(messageOf(text), [to('a')], error => {
    settled = { code: codeOf(error) };
  });
  while (settled === undefined) {
    stage.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
  return settled.code;
}

/**
 * Appends messages of 1 KB with numbers from `first` to `last`, all at once; what becomes of each is noted.
 */
function append(stage: StoreHarness, first: number, last: number, kept: string[], refused: string[]): void {
  for (let n = first; n <= last; n++) {
    const text = String(n).padEnd(1000);
    stage.store.append(messageOf(text), [to('a')], error => {
      (error === undefined ? kept : refused).push(text);
    });
  }
}

/** Appends many messages and waits until all are on disk. */
async function appendMany(stage: StoreHarness, first: number, last: number): Promise<string[]> {
  const kept: string[] = [];
  append(stage, first, last, kept, []);
  await stage.commit();
  return kept;
}

/**
 * Lets time pass with the turns of the loop, whatever the disk does: what it fails on is tried again later.
 */
async function turns(stage: StoreHarness, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    stage.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
}

const failing = suite('queue: a failing disk');

failing(
  'what must be kept is refused, what waits is delivered, and all goes on by itself afterwards',
  async () => {
    const stage = await createStoreHarness();
    const kept = await appendMany(stage, 1, 500);
    await stage.restart();
    kept.push(...(await appendMany(stage, 501, 900)));
    assert.is(kept.length, 900);
    limitFiles('0');
    try {
      assert.is(await attempt(stage, 'x'), 'store.write');
      assert.is(stage.store.health().state, 'failing');
      assert.is(stage.errors.length, 1);
      assert.match(stage.errors[0] ?? '', /^The store cannot be written: EFBIG/);
      assert.equal(stage.deliver('a', 10), kept);
      stage.clock.advance(5_000);
      assert.is(await attempt(stage, 'x'), 'store.write');
    } finally {
      limitFiles('unlimited');
    }
    await stage.becomes('working');
    assert.is(stage.errors.length, 1);
    assert.is(await stage.append(messageOf('y'), [to('a')]), undefined);
    await stage.restart();
    assert.equal(texts(stage.peek('a')), ['y']);
    stage.deliver('a');
    assert.is(await stage.finish(), 0);
  },
);

failing(
  'a checkpoint that fails is done later; the journal keeps what it is about, over a crash too',
  async () => {
    const stage = await createStoreHarness();
    const kept = await appendMany(stage, 1, 900);
    // The journals have their space: only what LMDB writes behind the second megabyte fails.
    spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${1 << 20}:unlimited`]);
    const refused: string[] = [];
    let count = kept.length;
    for (let round = 0; round < 20 && stage.store.health().state === 'working'; round++) {
      append(stage, count + 1, count + 300, kept, refused);
      count += 300;
      await turns(stage, 50);
    }
    await stage.becomes('failing');
    limitFiles('unlimited');
    await stage.becomes('working');
    await stage.commit();
    assert.is(kept.length + refused.length, count);
    assert.equal(texts(stage.peek('a')), kept);
    await stage.restart();
    assert.equal(stage.deliver('a', 10), kept);
    assert.is(await stage.finish(), 0);
  },
);

failing(
  'a disk that the kernel has made read-only: what waits is delivered, new messages are refused',
  async () =>
    onErrorProneDisk(async (folder, turnReadOnly) => {
      const stage = await createStoreHarness({ folder: join(folder, 'store') });
      const kept = await appendMany(stage, 1, 100);
      turnReadOnly();
      assert.is(await attempt(stage, 'x'), 'store.write');
      assert.match(stage.store.health().reason ?? '', /EROFS|read-only/);
      assert.equal(stage.deliver('a', 10), kept);
      await stage.store.close();
    }),
);

failing(
  'a page that LMDB cannot write on a read-only disk is a short error without numbers, and reads go on',
  () =>
    onErrorProneDisk(async (folder, turnReadOnly) => {
      const database = await openDatabase(join(folder, 'store'));
      await writePages(database);
      turnReadOnly();
      assert.match(await refusal(database), /^Read-only file system: Attempting to write a page$/);
      // Each further attempt opens the file again and fails. What was written can still be read.
      for (let tries = 0; tries < 3; tries++) {
        assert.match(await refusal(database), /^Read-only file system/);
        assert.ok(database.metadata('value')?.equals(VALUE));
      }
      await database.close();
    }),
);

failing(
  'a device that answers writes with I/O errors: nothing is lost, all goes on when it is repaired',
  () =>
    onBrokenDevice(async (folder, breakDevice, repair) => {
      const database = await openDatabase(join(folder, 'store'));
      await writePages(database);
      breakDevice();
      assert.match(await refusal(database), /^(Input\/output error|No space left on device)$/);
      assert.ok(database.metadata('value')?.equals(VALUE));
      repair();
      await writePages(database);
      assert.ok(database.metadata('value')?.equals(VALUE));
      await database.close();
    }),
);

const VALUE = Buffer.alloc(1 << 20, 1);

/** Writes a value of many pages. */
function writePages(database: Database): Promise<void> {
  return database.write(writer => writer.putMetadata('value', VALUE));
}

/** Writes until the disk refuses, and returns the reason. */
async function refusal(database: Database): Promise<string> {
  try {
    for (let count = 0; count < 10; count++) await writePages(database);
    return 'nothing was refused';
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

failing.run();
