import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FailureCode } from '../../src/core/errors.ts';
import { Failure } from '../../src/core/errors.ts';
import { VERSION } from '../../src/core/version.ts';
import type { Launched } from '../../src/self-update/launch.ts';
import { updatePaths } from '../../src/self-update/paths.ts';
import type { NewHub, StagedHub } from '../../src/self-update/stage.ts';
import { stageHub } from '../../src/self-update/stage.ts';
import { beginTrial, confirmTrial } from '../../src/self-update/trial.ts';
import { folderWith, removeFolder, skerry } from '../harness/binary.ts';
import { skip } from '../harness/skip.ts';

const BASE: Launched = { running: 'base' };

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const built = readFileSync(skerry);

const staging = suite<{ folder: string }>('self-update: staging', { folder: '' });
staging.before.each(context => {
  context.folder = folderWith({});
});
staging.after.each(({ folder }) => removeFolder(folder));

function hubOf(bytes: Buffer, more: Partial<NewHub> = {}): NewHub {
  const content = async function* () {
    for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
  };
  return { sha256: sha256(bytes), content, ...more };
}

async function refusal(work: Promise<unknown>): Promise<{ code: FailureCode; message: string }> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('It was not refused.');
}

staging(
  'staging copies a hub binary into the free slot, verifies its hash and runs the binary to read its version',
  async ({ folder }) => {
    const hub = { ...hubOf(built), size: built.length, content: () => createReadStream(skerry) };
    const staged = await stageHub(folder, BASE, hub);
    assert.equal(staged, { slot: 'a', sha256: hub.sha256, size: built.length, version: VERSION });
    const file = updatePaths(folder).binary('a');
    assert.is(sha256(readFileSync(file)), hub.sha256);
    assert.is(statSync(file).mode & 0o777, 0o755);
    for (const one of [updatePaths(folder).folder, updatePaths(folder).slotFolder('a')])
      assert.is(statSync(one).mode & 0o777, 0o700);
    assert.equal(readdirSync(updatePaths(folder).slotFolder('a')), ['skerry']);
  },
);

staging('staging never overwrites the running slot or the slot for a rollback', async ({ folder }) => {
  const hub = hubOf(built);
  const begin = (launched: Launched, staged: StagedHub) =>
    beginTrial({ dataFolder: folder, launched, program: skerry, staged });
  await begin(BASE, await stageHub(folder, BASE, hub));
  // Confirms the hub in slot a, as if it were running.
  const hubA = { running: 'a', watchdog: 1 } as const;
  confirmTrial(folder, hubA);
  const second = await stageHub(folder, hubA, hub);
  assert.is(second.slot, 'b');
  await begin(hubA, second);
  const hubB = { running: 'b', watchdog: 1 } as const;
  // During the trial of slot b a rollback needs slot a, so a newer hub replaces the one in slot b.
  assert.is((await stageHub(folder, hubB, hub)).slot, 'b');
  confirmTrial(folder, hubB);
  assert.is((await stageHub(folder, hubB, hub)).slot, 'a');
});

/** ELF header for a machine. */
const elfHeader = (machine: number): Buffer => {
  const head = Buffer.alloc(64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  return head;
};
const [own, other] = process.arch === 'x64' ? [62, 183] : [183, 62];

/** Refused binaries with their error code and sentence. */
const REFUSED: Readonly<Record<string, readonly [NewHub, FailureCode, RegExp]>> = {
  'a binary with a wrong hash': [
    { ...hubOf(built), sha256: '0'.repeat(64) },
    'update.binary',
    /^The new hub has the SHA-256 [0-9a-f]{64}, but the manifest says 0{64}: name the right file, or correct "hub"\.$/,
  ],
  'a script': [hubOf(Buffer.from('#!/bin/sh\necho skerry 1 x\n')), 'update.binary', /is not a Linux program/],
  'an empty file': [hubOf(Buffer.alloc(0)), 'update.binary', /is not a Linux program/],
  'a binary for another architecture': [
    hubOf(elfHeader(other)),
    'update.binary',
    /is made for (arm64|x64), but this machine is (x64|arm64): correct "hub"\.$/,
  ],
  'a binary for an unknown architecture': [
    hubOf(elfHeader(9999)),
    'update.binary',
    /is made for another machine \(9999\)/,
  ],
  'a binary that cannot be executed': [
    hubOf(elfHeader(own)),
    'update.binary',
    /does not run on this machine \(.+\): use one that is built/,
  ],
  'a truncated binary': [
    hubOf(built.subarray(0, 5_000_000)),
    'update.binary',
    /does not run on this machine/,
  ],
  'another program': [hubOf(readFileSync('/bin/true')), 'update.binary', /does not print a Skerry version/],
  'a binary above the maximum size': [
    {
      sha256: '',
      content: async function* () {
        for (;;) yield Buffer.alloc(32 << 20);
      },
    },
    'update.binary',
    /is larger than a hub may be/,
  ],
  'a binary above the free disk space': [
    { ...hubOf(built), size: Number.MAX_SAFE_INTEGER },
    'update.unwritable',
    /^The new hub cannot be saved in .*\/hub \(\d+ MB are needed and \d+ are free\): free disk space/,
  ],
  'a binary whose source fails': [
    {
      sha256: '',
      content: async function* () {
        yield Buffer.alloc(9);
        throw new Error('the network is gone');
      },
    },
    'update.unwritable',
    /the network is gone/,
  ],
};

for (const [what, [hub, code, sentence]] of Object.entries(REFUSED)) {
  staging(`${what} is refused by staging, and no file is left`, async ({ folder }) => {
    const failure = await refusal(stageHub(folder, BASE, hub));
    assert.is(failure.code, code, failure.message);
    assert.match(failure.message, sentence);
    assert.equal(readdirSync(updatePaths(folder).slotFolder('a')), []);
    assert.not(existsSync(updatePaths(folder).state));
  });
}

staging('staging stops at the next chunk when its deployment is superseded', async ({ folder }) => {
  const abort = new AbortController();
  const superseded = new Failure('deployment.superseded', 'Another one.');
  let pieces = 0;
  const content = async function* () {
    for (; ; pieces++) {
      if (pieces === 3) abort.abort(superseded);
      yield Buffer.alloc(1 << 20);
    }
  };
  const staged = stageHub(folder, BASE, { sha256: '', content, signal: abort.signal });
  assert.is((await refusal(staged)).code, 'deployment.superseded');
  assert.is(pieces, 3);
  assert.equal(readdirSync(updatePaths(folder).slotFolder('a')), []);
});

staging('the error of staging names a data folder that cannot be written', async ({ folder }) => {
  writeFileSync(join(folder, 'hub'), '');
  const failure = await refusal(stageHub(folder, BASE, hubOf(built)));
  assert.is(failure.code, 'update.unwritable');
  assert.match(failure.message, /hub\/a\/skerry \((EEXIST|ENOTDIR).*correct the folder's permissions\.$/);
});

/** Mounts a tmpfs on the data folder. Returns false and reports if that is impossible here. */
function mount(folder: string, options: string): boolean {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  if (status !== 0) skip('file systems cannot be mounted here');
  return status === 0;
}

async function onDisk(folder: string, options: string, work: (data: string) => Promise<void>): Promise<void> {
  const data = join(folder, 'data');
  mkdirSync(data);
  if (!mount(data, options)) return;
  try {
    await work(data);
  } finally {
    spawnSync('umount', ['--lazy', data]);
  }
}

staging('staging into a data folder mounted noexec fails with an error that names noexec', ({ folder }) =>
  onDisk(folder, 'noexec,mode=0700', async data => {
    const failure = await refusal(stageHub(data, BASE, hubOf(built)));
    assert.is(failure.code, 'update.unwritable');
    assert.match(
      failure.message,
      /cannot be run: its file system is probably mounted noexec \(EACCES\)\. Name a data folder/,
    );
  }),
);

staging('staging on a full disk fails with an error and removes the partial file', ({ folder }) =>
  onDisk(folder, 'size=50M,mode=0700', async data => {
    const failure = await refusal(stageHub(data, BASE, hubOf(built)));
    assert.is(failure.code, 'update.unwritable');
    assert.match(failure.message, /\(ENOSPC.*\): free disk space/);
    assert.equal(readdirSync(updatePaths(data).slotFolder('a')), []);
    spawnSync('dd', ['if=/dev/zero', `of=${join(data, 'full')}`, 'bs=1M']);
    const staged = { slot: 'a', sha256: '', size: 1, version: '1' } as const;
    const begin = beginTrial({ dataFolder: data, launched: BASE, program: skerry, staged });
    assert.match((await refusal(begin)).message, /state\.json cannot be written \(ENOSPC.*free disk space/);
  }),
);

staging('a trial does not begin if the hub binary for a rollback is missing', async ({ folder }) => {
  const staged = { slot: 'a', sha256: '', size: 1, version: '1' } as const;
  const begin = (program: string | undefined, launched = BASE) =>
    refusal(beginTrial({ dataFolder: folder, launched, program, staged }));
  assert.match((await begin(undefined)).message, /runs from its sources, so it cannot be updated/);
  assert.match(
    (await begin(join(folder, 'gone'))).message,
    /gone.*was replaced or removed \(ENOENT.*restart the hub/,
  );
  assert.match((await begin(skerry, { running: 'b' })).message, /restart the hub before it is updated/);
  assert.not(existsSync(updatePaths(folder).state));
});

staging.run();
