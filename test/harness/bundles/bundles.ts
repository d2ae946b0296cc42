import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { DownloadProgress } from '../../../src/bundles/download/download.ts';
import { removeTree } from '../../../src/bundles/remove-tree.ts';
import type { BundleStore } from '../../../src/bundles/store.ts';
import { createBundleStore } from '../../../src/bundles/store.ts';
import type { WantedBundle } from '../../../src/bundles/types.ts';
import { Failure } from '../../../src/core/errors.ts';
import { logFor } from '../../../src/core/log.ts';
import type { TestClock } from '../clock.ts';
import { createTestClock } from '../clock.ts';
import { sha256Of } from './archives.ts';

/** A bundle store in a temporary folder. */
export type BundlesHarness = {
  readonly folder: string;
  /** Folder of the bundles. */
  readonly bundles: string;
  readonly store: BundleStore;
  readonly clock: TestClock;
  readonly logged: string[];
  /** Progress of downloads. */
  readonly progressed: DownloadProgress[];
  /** Writes the archive to a file and returns its reference as `modules.m.bundle`. */
  readonly wanted: (archive: Buffer, more?: Partial<WantedBundle>) => WantedBundle;
  /** Returns the failure of `fetchBundles` for a bundle that must be refused. */
  readonly refusal: (bundle: WantedBundle) => Promise<Failure>;
  readonly remove: () => Promise<void>;
};

/** Signal that is never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** Creates a store. `onLog` is called for each log line, such as the one that announces unpacking. */
export async function createBundlesHarness(
  folder: string = mkdtempSync(join(tmpdir(), 'skerry-bundles-')),
  onLog: () => void = () => undefined,
): Promise<BundlesHarness> {
  const bundles = join(folder, 'bundles');
  const clock = createTestClock();
  const logged: string[] = [];
  const log = logFor('bundles', (_, __, text) => {
    logged.push(text);
    onLog();
  });
  const progressed: DownloadProgress[] = [];
  const progress = (one: DownloadProgress): void => {
    progressed.push(one);
  };
  const store = await createBundleStore({ folder: bundles, clock, log, progress });
  let files = 0;
  return {
    folder,
    bundles,
    store,
    clock,
    logged,
    progressed,
    wanted: (archive, more = {}) => {
      const path = join(folder, `archive-${files++}`);
      writeFileSync(path, archive);
      const subject = 'modules.m.bundle';
      return { subject, sha256: sha256Of(archive), source: { path }, size: 1 << 20, files: 100, ...more };
    },
    refusal: async bundle => {
      try {
        await store.fetchBundles([bundle], never);
      } catch (thrown) {
        if (thrown instanceof Failure) return thrown;
        throw thrown;
      }
      throw new Error('The bundle was accepted.');
    },
    remove: () => removeTree(folder),
  };
}

/** Type, mode and content of everything below a folder, by path. */
export function treeOf(folder: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    found[path] = description(join(folder, path));
    if (entry.isDirectory()) Object.assign(found, treeOf(folder, path));
  }
  return found;
}

function description(path: string): string {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  const mode = (found.mode & 0o7777).toString(8);
  return found.isDirectory() ? `${mode} folder` : `${mode} ${readFileSync(path, 'latin1')}`;
}

/** Asserts that the folder holds exactly these complete bundles and partial downloads. */
export function assertClean(
  bundles: string,
  whole: readonly string[],
  downloads: readonly string[] = [],
): void {
  const names = (folder: string): string[] => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  assert.equal(
    names(bundles)
      .filter(name => name !== '.part')
      .sort(),
    [...whole].sort(),
  );
  assert.equal(names(join(bundles, '.part')).sort(), [...downloads].sort());
}
