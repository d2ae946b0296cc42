import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBundleStore } from '../../src/bundles/store.ts';
import type { WantedBundle } from '../../src/bundles/types.ts';
import { Failure } from '../../src/core/errors.ts';
import { logFor } from '../../src/core/log.ts';
import { archive, sha256Of } from '../harness/bundles/archives.ts';
import { assertClean, never, treeOf } from '../harness/bundles/bundles.ts';
import { createTestClock } from '../harness/clock.ts';
import { createTestServer, sendsFile } from './server.ts';

const space = suite('bundles: disk space');

/** Runs `scenario` with a folder on a small tmpfs and a folder on another file system. */
async function onDisk(
  options: string,
  scenario: (disk: string, other: string) => Promise<void>,
): Promise<void> {
  const disk = mkdtempSync(join(tmpdir(), 'skerry-disk-'));
  const other = mkdtempSync(join(tmpdir(), 'skerry-other-'));
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `${options},mode=0755`, 'tmpfs', disk]);
  try {
    if (mount.status === 0) await scenario(disk, other);
    else process.stdout.write('\nskipped: space for bundles: file systems cannot be mounted here\n');
  } finally {
    if (mount.status === 0) spawnSync('umount', ['--lazy', disk]);
    rmdirSync(disk);
    rmSync(other, { recursive: true });
  }
}

function wantedAt(path: string, bytes: Buffer): WantedBundle {
  writeFileSync(path, bytes);
  const source = { path };
  return { subject: 'modules.m.bundle', sha256: sha256Of(bytes), source, size: 100 << 20, files: 1000 };
}

/** Resolves to the error of unpacking on a full disk. */
async function refusal(disk: string, bundles: readonly WantedBundle[], begin?: () => void): Promise<Failure> {
  const log = logFor('bundles', () => begin?.());
  const store = await createBundleStore({ folder: join(disk, 'bundles'), clock: createTestClock(), log });
  const thrown = await store.fetchBundles(bundles, never).catch((failure: unknown) => failure);
  if (thrown instanceof Failure) return thrown;
  throw new Error(`The bundles were accepted: ${thrown}`);
}

const megabytes = (count: number, seed: number): Buffer =>
  gzipSync(archive({ name: `f${seed}`, content: Buffer.alloc(count << 20, seed) }));

space('a bundle that does not fit beside the reserved disk space is refused before any write', () =>
  onDisk('size=24M', async (disk, other) => {
    const { message, code, exitCode } = await refusal(disk, [wantedAt(join(other, 'a'), megabytes(10, 1))]);
    assert.equal([code, exitCode], ['bundle.space', 1]);
    assert.is(
      message,
      `modules.m.bundle needs 10.5 MB, but the disk of ${disk}/bundles/.part has 8.4 MB free beside its reserve (ENOSPC): free disk space.`,
    );
    assertClean(join(disk, 'bundles'), []);
  }),
);

space('several bundles are refused if each alone fits on the disk but all together do not', () =>
  onDisk('size=24M', async (disk, other) => {
    const bundles = [1, 2].map(n => wantedAt(join(other, `${n}`), megabytes(6, n)));
    const { message } = await refusal(disk, bundles);
    assert.match(message, /^The content of the 2 new bundles needs 12\.6 MB, but the disk of /);
    assertClean(join(disk, 'bundles'), []);
  }),
);

space('a bundle with more files than the disk has free inodes is refused', () =>
  onDisk('size=64M,nr_inodes=100', async (disk, other) => {
    const files = Array.from({ length: 200 }, (_, n) => ({ name: `f${n}` }));
    const { message } = await refusal(disk, [wantedAt(join(other, 'a'), archive(...files))]);
    assert.match(
      message,
      /^modules\.m\.bundle needs 201 files, but the disk of \S+ has \d+ free inodes \(ENOSPC\): remove some files\.$/,
    );
    assertClean(join(disk, 'bundles'), []);
  }),
);

space('a download that does not fit on the disk is refused before its first byte', () =>
  onDisk('size=24M', async disk => {
    const bytes = archive({ name: 'a', content: randomBytes(6 << 20) });
    const server = await createTestServer(() => sendsFile(bytes));
    const source = { url: `${server.url}/a.tar` };
    const wanted = {
      subject: 'modules.m.bundle',
      sha256: sha256Of(bytes),
      source,
      size: 100 << 20,
      files: 10,
    };
    const { message, code } = await refusal(disk, [wanted]);
    assert.is(code, 'bundle.space');
    assert.match(message, /^modules\.m\.bundle needs 12\.6 MB, /);
    assertClean(join(disk, 'bundles'), [], [wanted.sha256]);
    assert.ok(statfsSync(disk).bfree * 4096 > 23 << 20);
    await server.close();
  }),
);

space('a disk that becomes full during unpacking gives one error, and all unpacked files are removed', () =>
  onDisk('size=48M', async (disk, other) => {
    const bundles = join(disk, 'bundles');
    const wanted = wantedAt(join(other, 'a'), megabytes(20, 1));
    const { message, code } = await refusal(disk, [wanted], () => takeAllSpace(join(disk, 'others')));
    assert.equal(
      [code, message],
      ['bundle.space', `modules.m.bundle does not fit on the disk of ${bundles} (ENOSPC): free disk space.`],
    );
    assertClean(bundles, []);
    assert.equal(readdirSync(disk).sort(), ['bundles', 'others']);
    rmSync(join(disk, 'others'));
    const log = logFor('bundles', () => undefined);
    const store = await createBundleStore({ folder: bundles, clock: createTestClock(), log });
    await store.fetchBundles([wanted], never);
    assert.equal(Object.keys(treeOf(store.folderOf(wanted.sha256))), ['f1']);
  }),
);

/** Writes into a file until the disk has no space for one more byte. */
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

space.run();
