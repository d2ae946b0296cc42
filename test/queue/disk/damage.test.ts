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

/** Changes the values of one of LMDB's tables while the store is closed. */
async function change(folder: string, table: string, damage: (value: Buffer) => Buffer): Promise<void> {
  const root = open({ path: folder, maxDbs: 8, encoding: 'binary', keyEncoding: 'binary' });
  const values = root.openDB<Buffer, Buffer>({ name: table, encoding: 'binary', keyEncoding: 'binary' });
  for (const { key, value } of Array.from(values.getRange()))
    await values.put(key, damage(Buffer.from(value)));
  await root.close();
}

/** Damages keys in the same way. */
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

/** Changes one byte of a value, counted from its end if `at` is negative. */
function flip(at: number): (value: Buffer) => Buffer {
  return value => {
    const index = at < 0 ? value.length + at : at;
    value[index] = (value[index] ?? 0) ^ 0xff;
    return value;
  };
}

function setAside(stage: StoreHarness): string[] {
  const prefix = `${basename(stage.folder)}.bad-`;
  return readdirSync(dirname(stage.folder)).filter(name => name.startsWith(prefix));
}

/** Removes what was set aside too. */
async function finish(stage: StoreHarness): Promise<number> {
  for (const name of setAside(stage)) rmSync(join(dirname(stage.folder), name), { recursive: true });
  return stage.finish();
}

const values = suite('queue: damaged values');

const PARTS = [
  { what: 'a record', at: -1, lost: 1 },
  { what: 'the head of a chunk', at: 3, lost: 3 },
];

for (const { what, at, lost } of PARTS) {
  values(`${what} that is damaged: its messages are dead letters; what is behind is delivered`, async () => {
    const stage = await createStoreHarness();
    for (const text of ['1', '2', '3']) await stage.append(messageOf(text), [to('a')]);
    await stage.store.close();
    await change(stage.folder, 'entries', flip(at));
    await stage.reopen();
    await stage.append(messageOf('whole'), [to('a')]);
    assert.equal(stage.deliver('a'), [...['1', '2', '3'].slice(0, 3 - lost), 'whole']);
    assert.is(stage.store.counts().corrupt, lost);
    const letters = stage.store.deadLetters.list();
    assert.is(letters.length, lost);
    for (const { queue, message, reason } of letters) {
      assert.equal([queue, message], ['a', undefined]);
      assert.match(reason, /damaged/);
    }
    assert.equal(stage.store.stats()[0], { queue: 'a', depth: 0, bytes: 0, oldestMs: undefined });
    assert.is(await finish(stage), 0);
  });
}

const SHAPES = [
  {
    what: 'whose end is missing',
    damage: (folder: string) => change(folder, 'entries', value => value.subarray(0, 4 + 3 * 40 + 2)),
  },
  {
    what: 'that seems to have more entries than it has',
    damage: (folder: string) =>
      changeKeys(folder, 'entries', key => {
        key[13] = 1;
        return key;
      }),
  },
];

for (const { what, damage } of SHAPES) {
  values(`a chunk ${what}: what is behind is delivered, and the hub goes on`, async () => {
    const stage = await createStoreHarness();
    for (const text of ['1', '2', '3']) await stage.append(messageOf(text), [to('a')]);
    await stage.store.close();
    await damage(stage.folder);
    await stage.reopen();
    await stage.append(messageOf('whole'), [to('a')]);
    assert.equal(stage.deliver('a'), ['whole']);
    assert.ok(stage.store.counts().corrupt >= 3);
    await stage.pass(60_000);
    await stage.restart();
    assert.equal(stage.deliver('a'), []);
    await finish(stage);
  });
}

values('a body that several queues hold and that is damaged is a dead letter of each', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('damaged'), [to('a'), to('b')]);
  await stage.store.close();
  await change(stage.folder, 'bodies', flip(-1));
  await stage.reopen();
  assert.equal([stage.deliver('a'), stage.deliver('b')], [[], []]);
  assert.is(stage.store.deadLetters.list().length, 2);
  assert.is(await finish(stage), 0);
});

values('an entry whose head is damaged goes with its place among the expiries', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('for ever'), [to('a')]);
  await stage.restart();
  await stage.append(messageOf('damaged', 5_000), [to('a')]);
  await stage.store.close();
  await change(stage.folder, 'entries', value => (value.includes('damaged') ? flip(3)(value) : value));
  await stage.reopen();
  await stage.pass(15_000);
  assert.is(stage.store.counts().corrupt, 1);
  assert.equal(stage.deliver('a'), ['for ever']);
  assert.is(await finish(stage), 0);
});

values(
  'a damaged run of the journal is left out and said; those before and behind it are there',
  async () => {
    const stage = await createStoreHarness();
    const copy = `${stage.folder}.copy`;
    for (const text of ['1', '2', '3']) await stage.append(messageOf(text), [to('a')]);
    mkdirSync(copy);
    for (const name of readdirSync(stage.folder)) {
      const bytes = readFileSync(join(stage.folder, name));
      // Each commit has a block of its own.
      if (name.startsWith('journal') && bytes.length > 0) bytes.fill('?', BLOCK + 40, BLOCK + 50);
      writeFileSync(join(copy, name), bytes);
    }
    const other = await createStoreHarness({ folder: copy });
    assert.equal(texts(other.peek('a')), ['1', '3']);
    assert.is(other.errors.length, 1);
    assert.match(other.errors[0] ?? '', /1 commits of the journal are damaged/);
    await other.finish();
    await finish(stage);
  },
);

values.run();

const stores = suite('queue: damaged stores');

/** Damages a closed store as `damage` does; it must be set aside, and the hub starts with a fresh one. */
function isSetAside(what: string, damage: (file: string, folder: string) => void): void {
  stores(`${what}: it is set aside, said, and a fresh one takes its place`, async () => {
    const stage = await createStoreHarness();
    for (let n = 0; n < 300; n++) stage.store.append(messageOf('x'.repeat(3000)), [to('a')], () => {});
    await stage.commit();
    await stage.store.close();
    damage(join(stage.folder, 'data.mdb'), stage.folder);
    await stage.reopen();
    const [name] = setAside(stage);
    assert.match(name ?? '', /\.bad-\d{8}T\d{6}Z$/);
    assert.is(basename(stage.store.health().setAside ?? ''), name);
    assert.match(stage.errors[0] ?? '', /^The store is damaged \(.+\): it was moved to /);
    assert.equal(texts(stage.peek('a')), []);
    assert.is(await stage.append(messageOf('new'), [to('a')]), undefined);
    await stage.restart();
    assert.equal(texts(stage.peek('a')), ['new']);
    assert.is(basename(stage.store.health().setAside ?? ''), name);
    assert.is(await finish(stage).then(() => existsSync(stage.folder)), false);
  });
}

isSetAside('a store cut short', file => truncateSync(file, 40_000));
isSetAside('a store cut in its first pages', file => truncateSync(file, 5_000));
isSetAside('a store whose first pages are overwritten', file => {
  writeSync(openSync(file, 'r+'), Buffer.alloc(8192, 0x5a), 0, 8192, 0);
});
isSetAside('a store that is another file', file => writeFileSync(file, 'no store at all '.repeat(4096)));
isSetAside('a store whose file is empty', file => truncateSync(file, 0));
isSetAside('a store whose file is missing', file => rmSync(file));
isSetAside('a store at a page of which LMDB ended the process', (file, folder) => {
  // All but the first pages, so that it opens.
  const fd = openSync(file, 'r+');
  for (let page = 20; page < statSync(file).size / 4096; page++)
    writeSync(fd, Buffer.alloc(4096), 0, 4096, page * 4096);
  closeSync(fd);
  writeFileSync(join(folder, 'suspect'), '');
});

stores('a store of a newer or older format is refused, and nothing is changed', async () => {
  for (const [format, code] of [
    [FORMAT + 1, 'store.newer'],
    [1, 'store.older'],
  ] as const) {
    const stage = await createStoreHarness();
    await stage.store.close();
    const root = open({ path: stage.folder, maxDbs: 8, encoding: 'binary', keyEncoding: 'binary' });
    await root.put(Buffer.from('#format'), Buffer.from([format]));
    await root.close();
    const thrown = await stage.reopen().catch((error: unknown) => error);
    assert.is(thrown instanceof Failure && thrown.code, code);
    assert.match(thrown instanceof Failure ? thrown.message : '', new RegExp(`has format ${format}`));
    assert.equal(setAside(stage), []);
    rmSync(stage.folder, { recursive: true });
  }
});

/** Makes a store's file say that it has three pages more, as LMDB does of pages it took and gave back. */
function lengthenInWords(folder: string): void {
  const file = join(folder, 'data.mdb');
  const bytes = readFileSync(file);
  for (const lastPage of [144, 4096 + 144])
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(lastPage) + 3n, lastPage);
  writeFileSync(file, bytes);
}

stores('a store that is suspect or short without being damaged is opened as it is', async () => {
  const stage = await createStoreHarness();
  for (let n = 0; n < 50; n++) await stage.append(messageOf(String(n).padEnd(n * 200)), [to('a'), to('b')]);
  await stage.restart();
  for (let n = 0; n < 50; n++) await stage.append(messageOf('x'.repeat(9_000)), [to('c')]);
  await stage.restart();
  stage.deliver('c');
  await stage.store.close();
  writeFileSync(join(stage.folder, 'suspect'), '');
  lengthenInWords(stage.folder);
  await stage.reopen();
  assert.equal(setAside(stage), []);
  assert.is(stage.peek('b').length, 50);
  await stage.pass(5_000);
  assert.not(existsSync(join(stage.folder, 'suspect')));
  await stage.finish();
});

stores.run();
