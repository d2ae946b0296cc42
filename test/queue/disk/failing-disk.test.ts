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

// Without a handler, SIGXFSZ would end the process when a write exceeds the limit of file sizes.
process.on('SIGXFSZ', () => {});

/** Sets the file size limit of this process. Every write fails with a limit of 0. */
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

/** Appends a message and advances the clock until its callback. A failed commit is retried after a delay. */
async function attempt(harness: StoreHarness, text: string): Promise<string | undefined> {
  let result: { readonly code: string | undefined } | undefined;
  harness.store.append(messageOf(text), [to('a')], error => {
    result = { code: codeOf(error) };
  });
  while (result === undefined) {
    harness.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
  return result.code;
}

/**
 * Appends messages of 1 KB with numbers from `first` to `last` at once. Adds each to `stored` or `refused`.
 */
function append(
  harness: StoreHarness,
  first: number,
  last: number,
  stored: string[],
  refused: string[],
): void {
  for (let n = first; n <= last; n++) {
    const text = String(n).padEnd(1000);
    harness.store.append(messageOf(text), [to('a')], error => {
      (error === undefined ? stored : refused).push(text);
    });
  }
}

/** Appends many messages and waits until all are on disk. */
async function appendMany(harness: StoreHarness, first: number, last: number): Promise<string[]> {
  const stored: string[] = [];
  append(harness, first, last, stored, []);
  await harness.commit();
  return stored;
}

/**
 * Advances the clock and the event loop `count` times, also while writes fail.
 */
async function turns(harness: StoreHarness, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    harness.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
}

const failing = suite('queue: failing disk');

failing('a store on a failing disk refuses new messages and delivers stored messages', async () => {
  const harness = await createStoreHarness();
  const stored = await appendMany(harness, 1, 500);
  await harness.restart();
  stored.push(...(await appendMany(harness, 501, 900)));
  assert.is(stored.length, 900);
  limitFiles('0');
  try {
    assert.is(await attempt(harness, 'x'), 'store.write');
    assert.is(harness.store.health().state, 'failing');
    assert.is(harness.errors.length, 1);
    assert.match(harness.errors[0] ?? '', /^The store cannot be written: EFBIG/);
    assert.equal(harness.deliver('a', 10), stored);
    harness.clock.advance(5_000);
    assert.is(await attempt(harness, 'x'), 'store.write');
  } finally {
    limitFiles('unlimited');
  }
  await harness.becomes('working');
  assert.is(harness.errors.length, 1);
  assert.is(await harness.append(messageOf('y'), [to('a')]), undefined);
  await harness.restart();
  assert.equal(texts(harness.peek('a')), ['y']);
  harness.deliver('a');
  assert.is(await harness.finish(), 0);
});

failing('the messages of a failed checkpoint stay in the journal until a retry succeeds', async () => {
  const harness = await createStoreHarness();
  const stored = await appendMany(harness, 1, 900);
  // The journals have their space already. Only writes of LMDB beyond the first megabyte fail.
  spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${1 << 20}:unlimited`]);
  const refused: string[] = [];
  let count = stored.length;
  for (let round = 0; round < 20 && harness.store.health().state === 'working'; round++) {
    append(harness, count + 1, count + 300, stored, refused);
    count += 300;
    await turns(harness, 50);
  }
  await harness.becomes('failing');
  limitFiles('unlimited');
  await harness.becomes('working');
  await harness.commit();
  assert.is(stored.length + refused.length, count);
  assert.equal(texts(harness.peek('a')), stored);
  await harness.restart();
  assert.equal(harness.deliver('a', 10), stored);
  assert.is(await harness.finish(), 0);
});

failing(
  'a store on a disk that the kernel made read-only delivers stored messages and refuses new ones',
  async () =>
    onErrorProneDisk(async (folder, turnReadOnly) => {
      const harness = await createStoreHarness({ folder: join(folder, 'store') });
      const stored = await appendMany(harness, 1, 100);
      turnReadOnly();
      assert.is(await attempt(harness, 'x'), 'store.write');
      assert.match(harness.store.health().reason ?? '', /EROFS|read-only/);
      assert.equal(harness.deliver('a', 10), stored);
      await harness.store.close();
    }),
);

failing('a failed LMDB write on a read-only disk returns one constant error text, and reads still work', () =>
  onErrorProneDisk(async (folder, turnReadOnly) => {
    const database = await openDatabase(join(folder, 'store'));
    await writePages(database);
    turnReadOnly();
    assert.match(await refusal(database), /^Read-only file system: Attempting to write a page$/);
    // Each further attempt opens the file again and fails. Written values can still be read.
    for (let tries = 0; tries < 3; tries++) {
      assert.match(await refusal(database), /^Read-only file system/);
      assert.ok(database.metadata('value')?.equals(VALUE));
    }
    await database.close();
  }),
);

failing('a store on a device with I/O errors loses no stored value and works again after the repair', () =>
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

/** Writes until a write fails. Resolves to the reason. */
async function refusal(database: Database): Promise<string> {
  try {
    for (let count = 0; count < 10; count++) await writePages(database);
    return 'nothing was refused';
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

failing.run();
