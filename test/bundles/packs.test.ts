import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isPack, openPack } from '../../src/bundles/pack/open-pack.ts';
import { writePack } from '../../src/bundles/pack/write-pack.ts';
import { Failure } from '../../src/core/errors.ts';
import { archive, entry, extended, sha256Of } from '../harness/bundles/archives.ts';
import type { BundlesHarness } from '../harness/bundles/bundles.ts';
import { createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

const manifest = Buffer.from('{"name":"a"}\n');
const packs = suite('bundles: packs');

function withHarness(act: (harness: BundlesHarness) => Promise<void>): () => Promise<void> {
  return async () => {
    const harness = await createBundlesHarness();
    try {
      await act(harness);
    } finally {
      await harness.remove();
    }
  };
}

function put(harness: BundlesHarness, name: string, bytes: Buffer): { sha256: string; path: string } {
  const path = join(harness.folder, name);
  writeFileSync(path, bytes);
  return { sha256: sha256Of(bytes), path };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const thrown = await promise.catch((failure: unknown) => failure);
  if (thrown instanceof Failure) return thrown;
  throw new Error(`The pack was accepted: ${thrown}`);
}

packs(
  'a bundle in a pack is unpacked without a copy of the bundle file',
  withHarness(async harness => {
    const one = put(harness, 'one', gzipSync(archive({ name: 'a', content: 'A' })));
    const two = put(harness, 'two', Buffer.from('a hub'.repeat(200)));
    const out = join(harness.folder, 'update.skerry');
    await writePack({ manifest, files: [one, two, one], out });
    assert.ok(await isPack(out));
    const pack = await openPack(out);
    assert.equal(pack.manifest, manifest);
    assert.equal([...pack.files.keys()].sort(), [one.sha256, two.sha256].sort());
    const bytes = readFileSync(out);
    for (const [sha256, { offset, size }] of pack.files) {
      assert.is(sha256Of(bytes.subarray(offset, offset + size)), sha256);
    }
    const source = { path: out, part: pack.files.get(one.sha256) };
    const wanted = { subject: 'modules.m.bundle', sha256: one.sha256, source, size: 100, files: 10 };
    await harness.store.fetchBundles([wanted], never);
    assert.equal(treeOf(harness.store.folderOf(one.sha256)), { a: '444 A' });
  }),
);

packs(
  'a hub binary in a pack is verified without a copy of the binary',
  withHarness(async harness => {
    const hub = put(harness, 'hub', Buffer.from('a hub'));
    const out = join(harness.folder, 'update.skerry');
    await writePack({ manifest, files: [hub], out });
    const source = { path: out, part: (await openPack(out)).files.get(hub.sha256) };
    const wanted = { subject: 'hub.x64', sha256: hub.sha256, source };
    assert.is(await harness.store.fetchFile(wanted, 100, never), source);
    const other = await failureOf(harness.store.fetchFile({ ...wanted, sha256: 'a'.repeat(64) }, 100, never));
    assert.match(other.message, /^hub\.x64 should have the SHA-256 a{64}, but /);
    const large = await failureOf(harness.store.fetchFile(wanted, 4, never));
    assert.is(
      large.message,
      'hub.x64 is a file of 5 bytes, more than the 4 that its "size" and "files" allow.',
    );
  }),
);

packs(
  'packs of the same files have the same bytes, whatever the order in which the files are given',
  withHarness(async harness => {
    const files = ['1', '22', '333'].map(text => put(harness, text, Buffer.from(text.repeat(300))));
    const [here, there] = [join(harness.folder, 'here'), join(harness.folder, 'there')];
    await writePack({ manifest, files, out: here });
    await writePack({ manifest, files: files.toReversed(), out: there });
    assert.equal(readFileSync(here), readFileSync(there));
    const { stdout, status } = spawnSync('tar', ['-tf', here], { encoding: 'utf8' });
    const names = files.map(({ sha256 }) => `files/${sha256}`).sort();
    assert.equal([status, stdout], [0, `${['manifest.json', ...names].join('\n')}\n`]);
  }),
);

packs(
  '`openPack` reads only the headers of a large pack',
  withHarness(async harness => {
    const out = join(harness.folder, 'large');
    const file = put(harness, 'large-file', Buffer.alloc(64 << 20, 1));
    await writePack({ manifest, files: [file], out });
    const before = readBytes();
    const { files } = await openPack(out);
    assert.is(files.get(file.sha256)?.size, 64 << 20);
    assert.ok(readBytes() - before < 1 << 16, `${readBytes() - before}`);
  }),
);

/** Bytes that this process has read so far. */
function readBytes(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

packs(
  'a pack that cannot be written fails with one error and leaves the previous file unchanged',
  withHarness(async harness => {
    const out = join(harness.folder, 'update.skerry');
    writeFileSync(out, 'before');
    const gone = { sha256: 'a'.repeat(64), path: join(harness.folder, 'gone') };
    const { code, message } = await failureOf(writePack({ manifest, files: [gone], out }));
    assert.equal(
      [code, message],
      ['bundle.missing', `${gone.path} cannot be packed: no such file (ENOENT).`],
    );
    const nowhere = await failureOf(writePack({ manifest, files: [], out: '/nowhere/x' }));
    assert.equal(nowhere.code, 'pack.write');
    assert.match(nowhere.message, /^The pack \/nowhere\/x cannot be written: ENOENT/);
    assert.is(readFileSync(out, 'utf8'), 'before');
    assert.equal(readdirSync(harness.folder), ['update.skerry']);
  }),
);

const first = { name: 'manifest.json', content: manifest };
const file = { name: `files/${'a'.repeat(64)}`, content: 'A' };
const MADE = 'which does not belong in a pack: make it with "skerry pack".';
const ENDS = 'is truncated: it was not copied completely.';

/** Invalid packs and their errors. */
const REFUSED: readonly (readonly [what: string, bytes: Buffer, sentence: string])[] = [
  ['no bytes', Buffer.alloc(0), 'is not a tar archive.'],
  ['only an end marker', Buffer.alloc(1024), 'is empty.'],
  ['a text instead of an archive', Buffer.from('{"name": "a"}'.padEnd(2000)), 'is not a tar archive.'],
  ['a truncated header', archive(first).subarray(0, 500), 'is not a tar archive.'],
  ['a truncated manifest', archive(first).subarray(0, 520), ENDS],
  ['a truncated file', archive(first, { ...file, size: 5000 }).subarray(0, 2500), ENDS],
  ['no end marker', Buffer.concat([entry(first), entry(file)]), ENDS],
  [
    'a file before the manifest',
    archive(file, first),
    `starts with "${file.name}" instead of "manifest.json": make it with "skerry pack".`,
  ],
  [
    'a link as its manifest',
    archive({ name: 'manifest.json', type: '2', linkname: 'x' }),
    'starts with "manifest.json" instead of "manifest.json": make it with "skerry pack".',
  ],
  [
    'a too large manifest',
    archive({ ...first, content: Buffer.alloc((1 << 20) + 1, ' ') }),
    'holds a manifest of more than 1048576 bytes.',
  ],
  ['two manifests', archive(first, first), `holds "manifest.json", ${MADE}`],
  ['another file', archive(first, { name: 'x' }), `holds "x", ${MADE}`],
  [
    'a name that leads outside',
    archive(first, { name: `../${file.name}` }),
    `holds "../${file.name}", ${MADE}`,
  ],
  ['a name that is no hash', archive(first, { name: 'files/A' }), `holds "files/A", ${MADE}`],
  ['a folder', archive(first, { name: 'files', type: '5' }), `holds "files", ${MADE}`],
  [
    'a link',
    archive(first, { ...file, content: '', type: '1', linkname: 'manifest.json' }),
    `holds "${file.name}", ${MADE}`,
  ],
  [
    'a sparse file',
    archive(first, extended({ 'GNU.sparse.major': '1' }), file),
    `holds "${file.name}", ${MADE}`,
  ],
  ['a file twice', archive(first, file, file), `holds "${file.name}" twice.`],
  ['a damaged header', archive(first, { ...file, checksum: 1 }), 'is corrupted at byte 1024.'],
  [
    'an entry behind the end marker',
    Buffer.concat([archive(first), entry(file)]),
    'has data after its end marker, at byte 2048.',
  ],
  [
    'too many files',
    archive(
      first,
      ...Array.from({ length: 1025 }, (_, n) => ({ name: `files/${n.toString(16).padStart(64, '0')}` })),
    ),
    'holds more than 1024 files.',
  ],
];

for (const [what, bytes, sentence] of REFUSED) {
  packs(
    `a pack with ${what} is refused with one error and exit code 2`,
    withHarness(async harness => {
      const { path } = put(harness, 'pack', bytes);
      const { message, code, exitCode } = await failureOf(openPack(path));
      assert.equal([message, code, exitCode], [`The pack ${path} ${sentence}`, 'pack.refused', 2]);
    }),
  );
}

packs(
  'a pack is recognised by its content, not by its file name',
  withHarness(async harness => {
    assert.not(await isPack(put(harness, 'x.skerry', manifest).path));
    assert.not(await isPack(put(harness, 'empty', Buffer.alloc(0)).path));
    assert.ok(await isPack(put(harness, 'x.json', archive(first)).path));
    const missing = await failureOf(isPack(join(harness.folder, 'gone')));
    assert.match(missing.message, / cannot be read: no such file \(ENOENT\)\.$/);
    assert.match(
      (await failureOf(isPack(harness.folder))).message,
      / cannot be read: it is not a regular file\.$/,
    );
    assert.not(existsSync(join(harness.folder, 'gone')));
  }),
);

packs.run();
