import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import type { TarEntry } from '../harness/bundles/archives.ts';
import { archive } from '../harness/bundles/archives.ts';
import { createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

/** Few names, so that folders, links and files often have the same path. */
const name = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', '..', '.', ''), { minLength: 1, maxLength: 4 })
  .map(parts => parts.join('/'));
const inside = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 })
  .map(parts => parts.join('/'));
const tarEntry: fc.Arbitrary<TarEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ name: inside, type: fc.constantFrom('0', '5'), linkname: fc.constant('') }),
  },
  { weight: 4, arbitrary: fc.record({ name: inside, type: fc.constantFrom('2', '2', '1'), linkname: name }) },
  { weight: 1, arbitrary: fc.record({ name, type: fc.constantFrom('0', '1', '2', '5'), linkname: name }) },
);

/** Returns the target of a path after all links. Undefined if the target does not exist. */
function endOf(path: string): string | undefined {
  return existsSync(path) ? realpathSync(path) : undefined;
}

const hostile = suite('bundles: hostile archives');

hostile(
  'an archive with random files, folders and links writes no file and no link outside its target folder',
  async () => {
    const harness = await createBundlesHarness();
    // Files with names of bundle entries outside, which an escaping path would overwrite.
    for (const folder of [harness.folder, harness.bundles]) {
      mkdirSync(folder, { recursive: true });
      for (const one of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, one), 'outside');
    }
    const outside = (): string[] => [
      ...readdirSync(harness.folder).filter(one => !one.startsWith('archive-')),
      ...readdirSync(harness.bundles).filter(one => !/^[0-9a-f]{64}$/.test(one)),
    ];
    const before = [...outside(), '.part'].sort();
    let [accepted, refused, links] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(tarEntry, { minLength: 1, maxLength: 6 }), async entries => {
        const wanted = harness.wanted(archive({ name: 'file', content: 'F' }, ...entries));
        const failure = await harness.store.fetchBundles([wanted], never).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.equal(outside().sort(), before);
        if (failure !== undefined) {
          assert.ok(failure instanceof Failure && failure.code === 'bundle.refused', String(failure));
          assert.not(harness.store.has(wanted.sha256));
          refused++;
          return;
        }
        const root = harness.store.folderOf(wanted.sha256);
        for (const [path, text] of Object.entries(treeOf(root))) {
          if (!text.startsWith('->')) continue;
          links++;
          const end = endOf(join(root, path));
          assert.ok(
            end === undefined || end === root || end.startsWith(`${root}/`),
            `${path} ${text} leads to ${end}`,
          );
        }
        accepted++;
      }),
      { numRuns: 1_000 },
    );
    assert.ok(
      accepted > 100 && refused > 100 && links > 50,
      `${accepted} were accepted, ${refused} refused, ${links} links`,
    );
    await harness.remove();
  },
);

hostile.run();
