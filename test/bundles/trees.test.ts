import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { byteSourceOf, readExactly } from '../../src/bundles/archive/byte-source.ts';
import { parseExtendedHeader } from '../../src/bundles/archive/pax.ts';
import { readTar } from '../../src/bundles/archive/tar.ts';
import { Failure } from '../../src/core/errors.ts';
import { extended } from '../harness/bundles/archives.ts';
import { createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

type Leaf =
  | { readonly kind: 'file'; readonly content: Uint8Array; readonly executable: boolean }
  | { readonly kind: 'link' };

const part = fc
  .oneof(
    fc.constantFrom('a', 'b', 'lib', 'größe', '.hidden', 'with space', '-x', '日本'),
    fc.string({ unit: fc.constantFrom('x', 'y', 'ü', "'", '$', '\n', '*'), minLength: 1, maxLength: 80 }),
  )
  .filter(name => Buffer.byteLength(name) < 200);
const path = fc.array(part, { minLength: 1, maxLength: 6 });
const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    content: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 500, maxLength: 2000 })),
    executable: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('link' as const) }),
);
const tree = fc.array(fc.tuple(path, leaf), { minLength: 1, maxLength: 12 });

/**
 * Creates `leaves` as far as their paths are free. Returns true if at least one file was created.
 */
function make(root: string, leaves: readonly (readonly [readonly string[], Leaf])[]): boolean {
  let files: string[] = [];
  for (const [parts, one] of leaves) {
    const place = join(root, ...parts);
    try {
      mkdirSync(dirname(place), { recursive: true });
      if (one.kind === 'link')
        symlinkSync(relative(dirname(place), files[0] ?? join(root, 'nothing')), place);
      else {
        writeFileSync(place, one.content, { flag: 'wx', mode: one.executable ? 0o755 : 0o644 });
        files = [...files, place];
      }
    } catch {
      // The path is not free.
    }
  }
  return files.length > 0;
}

/** Expected tree with all write permissions removed. */
function sealed(tree: Record<string, string>): Record<string, string> {
  const entries = Object.entries(tree).map(([name, text]): [string, string] => [
    name,
    text.replace(/^(?:755|644)/, mode => (mode === '755' ? '555' : '444')),
  ]);
  return Object.fromEntries(entries);
}

const trees = suite('bundles: trees');

trees('a random folder tree that tar has packed is unpacked unchanged', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.constantFrom('gnu', 'pax'),
      fc.constantFrom('-z', '--zstd', '-v'),
      async (leaves, format, packing) => {
        const root = mkdtempSync(join(tmpdir(), 'skerry-tree-'));
        const harness = await createBundlesHarness();
        try {
          if (!make(root, leaves)) return;
          const file = join(harness.folder, 'made');
          const args = [packing, '--format', format, '-cf', file, '-C', root, '.'];
          const { status, stderr } = spawnSync('tar', args, { encoding: 'utf8' });
          assert.is(status, 0, stderr);
          const wanted = harness.wanted(readFileSync(file));
          await harness.store.fetchBundles([wanted], never);
          assert.equal(treeOf(harness.store.folderOf(wanted.sha256)), sealed(treeOf(root)));
          made++;
        } finally {
          await harness.remove();
          rmSync(root, { recursive: true });
        }
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(made > 30);
});

/** Yields `bytes` in pieces of `lengths`. */
async function* pieces(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

trees('a byte source returns the bytes of its input unchanged, however the input is split into chunks', () =>
  fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat(60))),
      async (bytes, lengths, reads) => {
        const all = Buffer.from(bytes);
        const input = byteSourceOf(pieces(all, lengths));
        for (const [skips, size] of reads) {
          const at = input.position();
          if (skips) assert.is(await input.skip(size), Math.min(size, all.length - at));
          else assert.equal(await readExactly(input, size), all.subarray(at, at + size));
        }
      },
    ),
  ),
);

trees('`readTar` reads random bytes or refuses them with its own error, never with another exception', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async bytes => {
      const refused = new Failure('bundle.refused', 'refused');
      const ended = readTar(
        byteSourceOf(pieces(Buffer.from(bytes), [512])),
        () => refused,
        async () => undefined,
      );
      const thrown: unknown = await ended.catch((failure: unknown) => failure);
      assert.ok(thrown === undefined || thrown === refused, String(thrown));
    }),
  ),
);

trees('random names that are encoded in an extended tar header decode to the same names', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  fc.assert(
    fc.property(text, text, fc.nat(), (name, linkname, size) => {
      const { content } = extended({ mtime: '1.5', path: name, linkpath: linkname, size: String(size) });
      assert.equal(parseExtendedHeader(Buffer.from(content ?? '')), { name, linkname, size });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
      parseExtendedHeader(Buffer.from(bytes));
    }),
  );
});

trees.run();
