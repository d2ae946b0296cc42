import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import type { TarEntry } from '../harness/bundles/archives.ts';
import { archive } from '../harness/bundles/archives.ts';
import { createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

/** Few parts, so that names meet: folders, links and files in each other's places. */
const name = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', '..', '.', ''), { minLength: 1, maxLength: 4 })
  .map(parts => parts.join('/'));
const inside = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 })
  .map(parts => parts.join('/'));
const made: fc.Arbitrary<TarEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ name: inside, type: fc.constantFrom('0', '5'), linkname: fc.constant('') }),
  },
  { weight: 4, arbitrary: fc.record({ name: inside, type: fc.constantFrom('2', '2', '1'), linkname: name }) },
  { weight: 1, arbitrary: fc.record({ name, type: fc.constantFrom('0', '1', '2', '5'), linkname: name }) },
);

/** Target of a path after all links. Undefined if it does not exist. */
function endOf(path: string): string | undefined {
  return existsSync(path) ? realpathSync(path) : undefined;
}

const hostile = suite('bundles: hostile archives');

hostile(
  'whatever files, folders and links are named, nothing is outside, and nothing leads there',
  async () => {
    const stage = await createBundlesHarness();
    // What a way out would meet: names as they are in bundles, one and two folders further out.
    for (const folder of [stage.folder, stage.bundles]) {
      mkdirSync(folder, { recursive: true });
      for (const one of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, one), 'outside');
    }
    const outside = (): string[] => [
      ...readdirSync(stage.folder).filter(one => !one.startsWith('archive-')),
      ...readdirSync(stage.bundles).filter(one => !/^[0-9a-f]{64}$/.test(one)),
    ];
    const before = [...outside(), '.part'].sort();
    let [taken, refused, links] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(made, { minLength: 1, maxLength: 6 }), async entries => {
        const wanted = stage.wanted(archive({ name: 'file', content: 'F' }, ...entries));
        const failure = await stage.store.fetchBundles([wanted], never).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.equal(outside().sort(), before);
        if (failure !== undefined) {
          assert.ok(failure instanceof Failure && failure.code === 'bundle.refused', String(failure));
          assert.not(stage.store.has(wanted.sha256));
          refused++;
          return;
        }
        const root = stage.store.folderOf(wanted.sha256);
        for (const [path, text] of Object.entries(treeOf(root))) {
          if (!text.startsWith('->')) continue;
          links++;
          const end = endOf(join(root, path));
          assert.ok(
            end === undefined || end === root || end.startsWith(`${root}/`),
            `${path} ${text} leads to ${end}`,
          );
        }
        taken++;
      }),
      { numRuns: 1_000 },
    );
    assert.ok(
      taken > 100 && refused > 100 && links > 50,
      `${taken} were taken, ${refused} refused, ${links} links`,
    );
    await stage.remove();
  },
);

hostile.run();
