import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { open } from 'lmdb';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { FORMAT } from '../../../src/queue/disk/layout.ts';
import { BLOCK } from '../../../src/queue/journal/run.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../../harness/queue.ts';

/** Changes the values of an LMDB table of a closed store. */
async function change(folder: string, table: string, damage: (value: Buffer) => Buffer): Promise<void> {
  const root = open({ path: folder, maxDbs: 8, encoding: 'binary', keyEncoding: 'binary' });
  const values = root.openDB<Buffer, Buffer>({ name: table, encoding: 'binary', keyEncoding: 'binary' });
  for (const { key, value } of Array.from(values.getRange()))
    await values.put(key, damage(Buffer.from(value)));
  await root.close();
}

/** Changes the keys of an LMDB table of a closed store. */
async function changeKeys(folder: string, table: string, damage: (key: Buffer) => Buffer): Promise<void> {
  const root = open({ path: folder, maxDbs: 8, encoding: 'binary', keyEncoding: 'binary' });
  const values = root.openDB<Buffer, Buffer>({ name: table, encoding: 'binary', keyEncoding: 'binary' });
  for (const { key, value } of Array.from(values.getRange())) {
    const bytes = Buffer.from(value);
    await values.remove(key);
    await values.put(damage(Buffer.from(key)), bytes);
  }
  await root.close();
}

/** Returns a function that changes byte `at` of a value, counted from its end if negative. */
function flip(at: number): (value: Buffer) => Buffer {
  return value => {
    const index = at < 0 ? value.length + at : at;
    value[index] = (value[index] ?? 0) ^ 0xff;
    return value;
  };
}

function movedAside(harness: StoreHarness): string[] {
  const prefix = `${basename(harness.folder)}.bad-`;
  return readdirSync(dirname(harness.folder)).filter(name => name.startsWith(prefix));
}

/** Removes the store and all stores that were moved aside. */
async function finish(harness: StoreHarness): Promise<number> {
  for (const name of movedAside(harness)) rmSync(join(dirname(harness.folder), name), { recursive: true });
  return harness.finish();
}

const values = suite('queue: damaged values');

const PARTS = [
  { what: 'record', at: -1, lost: 1 },
  { what: 'chunk header', at: 3, lost: 3 },
];

for (const { what, at, lost } of PARTS) {
  values(
    `messages of a damaged ${what} become dead letters, and all later messages are delivered`,
    async () => {
      const harness = await createStoreHarness();
      for (const text of ['1', '2', '3']) await harness.append(messageOf(text), [to('a')]);
      await harness.store.close();
      await change(harness.folder, 'entries', flip(at));
      await harness.reopen();
      await harness.append(messageOf('whole'), [to('a')]);
      assert.equal(harness.deliver('a'), [...['1', '2', '3'].slice(0, 3 - lost), 'whole']);
      assert.is(harness.store.counts().corrupt, lost);
      const letters = harness.store.deadLetters.list();
      assert.is(letters.length, lost);
      for (const { queue, message, reason } of letters) {
        assert.equal([queue, message], ['a', undefined]);
        assert.match(reason, /damaged/);
      }
      assert.equal(harness.store.stats()[0], { queue: 'a', depth: 0, bytes: 0, oldestMs: undefined });
      assert.is(await finish(harness), 0);
    },
  );
}

const SHAPES = [
  {
    what: 'without its end',
    damage: (folder: string) => change(folder, 'entries', value => value.subarray(0, 4 + 3 * 40 + 2)),
  },
  {
    what: 'with a key that announces too many entries',
    damage: (folder: string) =>
      changeKeys(folder, 'entries', key => {
        key[13] = 1;
        return key;
      }),
  },
];

for (const { what, damage } of SHAPES) {
  values(`a chunk of entries ${what} does not block the messages in later chunks`, async () => {
    const harness = await createStoreHarness();
    for (const text of ['1', '2', '3']) await harness.append(messageOf(text), [to('a')]);
    await harness.store.close();
    await damage(harness.folder);
    await harness.reopen();
    await harness.append(messageOf('whole'), [to('a')]);
    assert.equal(harness.deliver('a'), ['whole']);
    assert.ok(harness.store.counts().corrupt >= 3);
    await harness.pass(60_000);
    await harness.restart();
    assert.equal(harness.deliver('a'), []);
    await finish(harness);
  });
}

values('a damaged body that several queues share becomes a dead letter of each queue', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('damaged'), [to('a'), to('b')]);
  await harness.store.close();
  await change(harness.folder, 'bodies', flip(-1));
  await harness.reopen();
  assert.equal([harness.deliver('a'), harness.deliver('b')], [[], []]);
  assert.is(harness.store.deadLetters.list().length, 2);
  assert.is(await finish(harness), 0);
});

values('an entry with a damaged header is removed together with its entry in the expiry index', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('for ever'), [to('a')]);
  await harness.restart();
  await harness.append(messageOf('damaged', 5_000), [to('a')]);
  await harness.store.close();
  await change(harness.folder, 'entries', value => (value.includes('damaged') ? flip(3)(value) : value));
  await harness.reopen();
  await harness.pass(15_000);
  assert.is(harness.store.counts().corrupt, 1);
  assert.equal(harness.deliver('a'), ['for ever']);
  assert.is(await finish(harness), 0);
});

values('a damaged commit in the journal is skipped and logged, and all other commits are read', async () => {
  const harness = await createStoreHarness();
  const copy = `${harness.folder}.copy`;
  for (const text of ['1', '2', '3']) await harness.append(messageOf(text), [to('a')]);
  mkdirSync(copy);
  for (const name of readdirSync(harness.folder)) {
    const bytes = readFileSync(join(harness.folder, name));
    // Each commit has a block of its own.
    if (name.startsWith('journal') && bytes.length > 0) bytes.fill('?', BLOCK + 40, BLOCK + 50);
    writeFileSync(join(copy, name), bytes);
  }
  const other = await createStoreHarness({ folder: copy });
  assert.equal(texts(other.peek('a')), ['1', '3']);
  assert.is(other.errors.length, 1);
  assert.match(other.errors[0] ?? '', /1 commits of the journal are damaged/);
  await other.finish();
  await finish(harness);
});

values.run();

const stores = suite('queue: damaged stores');

/** Defines a test: a closed store that `damage` has changed is moved aside, and an empty one replaces it. */
function testMovedAside(what: string, damage: (file: string, folder: string) => void): void {
  stores(`${what} is moved aside and logged, and an empty store replaces it`, async () => {
    const harness = await createStoreHarness();
    for (let n = 0; n < 300; n++) harness.store.append(messageOf('x'.repeat(3000)), [to('a')], () => {});
    await harness.commit();
    await harness.store.close();
    damage(join(harness.folder, 'data.mdb'), harness.folder);
    await harness.reopen();
    const [name] = movedAside(harness);
    assert.match(name ?? '', /\.bad-\d{8}T\d{6}Z$/);
    assert.is(basename(harness.store.health().setAside ?? ''), name);
    assert.match(harness.errors[0] ?? '', /^The store is damaged \(.+\): it was moved to /);
    assert.equal(texts(harness.peek('a')), []);
    assert.is(await harness.append(messageOf('new'), [to('a')]), undefined);
    await harness.restart();
    assert.equal(texts(harness.peek('a')), ['new']);
    assert.is(basename(harness.store.health().setAside ?? ''), name);
    assert.is(await finish(harness).then(() => existsSync(harness.folder)), false);
  });
}

testMovedAside('a truncated store', file => truncateSync(file, 40_000));
testMovedAside('a store truncated in its first pages', file => truncateSync(file, 5_000));
testMovedAside('a store with overwritten first pages', file => {
  writeSync(openSync(file, 'r+'), Buffer.alloc(8192, 0x5a), 0, 8192, 0);
});
testMovedAside('a store whose file has other contents', file =>
  writeFileSync(file, 'no store at all '.repeat(4096)),
);
testMovedAside('a store with an empty file', file => truncateSync(file, 0));
testMovedAside('a store with a missing file', file => rmSync(file));
testMovedAside('a store with a damaged page that made LMDB abort the process', (file, folder) => {
  // All pages except the first, so that the store can be opened.
  const fd = openSync(file, 'r+');
  for (let page = 20; page < statSync(file).size / 4096; page++)
    writeSync(fd, Buffer.alloc(4096), 0, 4096, page * 4096);
  closeSync(fd);
  writeFileSync(join(folder, 'suspect'), '');
});

stores('a store with a newer or older format version is refused and left unchanged', async () => {
  for (const [format, code] of [
    [FORMAT + 1, 'store.newer'],
    [1, 'store.older'],
  ] as const) {
    const harness = await createStoreHarness();
    await harness.store.close();
    const root = open({ path: harness.folder, maxDbs: 8, encoding: 'binary', keyEncoding: 'binary' });
    await root.put(Buffer.from('#format'), Buffer.from([format]));
    await root.close();
    const thrown = await harness.reopen().catch((error: unknown) => error);
    assert.is(thrown instanceof Failure && thrown.code, code);
    assert.match(thrown instanceof Failure ? thrown.message : '', new RegExp(`has format ${format}`));
    assert.equal(movedAside(harness), []);
    rmSync(harness.folder, { recursive: true });
  }
});

/** Increases the page count in a store by three, like LMDB after pages were allocated and freed. */
function increasePageCount(folder: string): void {
  const file = join(folder, 'data.mdb');
  const bytes = readFileSync(file);
  for (const lastPage of [144, 4096 + 144])
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(lastPage) + 3n, lastPage);
  writeFileSync(file, bytes);
}

stores(
  'an intact store is opened unchanged if it is marked for a check and its file is shorter than its page count',
  async () => {
    const harness = await createStoreHarness();
    for (let n = 0; n < 50; n++)
      await harness.append(messageOf(String(n).padEnd(n * 200)), [to('a'), to('b')]);
    await harness.restart();
    for (let n = 0; n < 50; n++) await harness.append(messageOf('x'.repeat(9_000)), [to('c')]);
    await harness.restart();
    harness.deliver('c');
    await harness.store.close();
    writeFileSync(join(harness.folder, 'suspect'), '');
    increasePageCount(harness.folder);
    await harness.reopen();
    assert.equal(movedAside(harness), []);
    assert.is(harness.peek('b').length, 50);
    await harness.pass(5_000);
    assert.not(existsSync(join(harness.folder, 'suspect')));
    await harness.finish();
  },
);

stores.run();
