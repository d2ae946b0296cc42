import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { beginTrial } from '../../src/self-update/trial.ts';
import type { SpawnedHub } from '../harness/binary.ts';
import { skerry, until } from '../harness/binary.ts';
import type { UpdateHarness } from './update-harness.ts';
import { createUpdateHarness, FAILING, healthyHub, LIMITS } from './update-harness.ts';

const starts = suite<{ harness: UpdateHarness }>('self-update: selection of the binary', {
  harness: createUpdateHarness(),
});

starts.before.each(async context => {
  await context.harness.close();
  context.harness = createUpdateHarness();
});
starts.after(({ harness }) => harness.close());

/** Updates `program` to a healthy hub in slot a. */
async function update(harness: UpdateHarness, program = skerry): Promise<void> {
  const staged = { slot: 'a', ...harness.writeSlot('a', healthyHub()) } as const;
  await beginTrial({
    dataFolder: harness.data,
    launched: { running: 'base' },
    program,
    staged,
    limits: LIMITS,
  });
  const hub = harness.start(program);
  await until(`it is good, but: ${hub.log()}`, () => harness.recorded().length === 2);
  await hub.end();
}

async function startUpdated(harness: UpdateHarness, program?: string): Promise<SpawnedHub> {
  const before = harness.recorded().length;
  const hub = harness.start(program);
  await until(`it runs, but: ${hub.log()}`, () => harness.recorded().length === before + 2);
  return hub;
}

async function assertBaseRuns(harness: UpdateHarness, sentence: RegExp, program?: string): Promise<void> {
  const before = harness.recorded().length;
  const hub = harness.start(program);
  await hub.listens();
  assert.match(hub.log(), sentence);
  assert.is(harness.recorded().length, before);
  await hub.end();
}

starts(
  'a hub binary that was installed after an update runs instead of the update, and the update is removed',
  async ({ harness }) => {
    const own = join(harness.folder, 'skerry');
    copyFileSync(skerry, own);
    await update(harness, own);
    // An appended byte makes another binary that still runs.
    writeFileSync(`${own}.new`, Buffer.concat([readFileSync(own), Buffer.from('\n')]), { mode: 0o755 });
    renameSync(`${own}.new`, own);
    await assertBaseRuns(
      harness,
      /skerry was installed after the update: this binary runs, and the update was removed\./,
      own,
    );
    assert.not(existsSync(harness.paths.folder));
  },
);

starts('an update stays current if the previous hub binary is installed again', async ({ harness }) => {
  const own = join(harness.folder, 'skerry');
  copyFileSync(skerry, own);
  await update(harness, own);
  utimesSync(own, 1, 1);
  await (await startUpdated(harness, own)).end();
  assert.is(harness.readState().base.changed, 1000);
  await (await startUpdated(harness, skerry)).end();
  assert.is(harness.readState().base.path, skerry);
});

starts(
  'a hub binary in an update slot is not started if the file is truncated or writable by other users',
  async ({ harness }) => {
    await update(harness);
    const file = harness.paths.binary('a');
    chmodSync(file, 0o777);
    await assertBaseRuns(
      harness,
      /a\/skerry is writable by other users or owned by another\. Starting the installed hub .* instead: apply the update again\./,
    );
    chmodSync(file, 0o644);
    await assertBaseRuns(harness, /a\/skerry cannot be run \(EACCES.*apply the update again\./);
    chmodSync(file, 0o755);
    await (await startUpdated(harness)).end();
    truncateSync(file, 100);
    await assertBaseRuns(harness, /a\/skerry is corrupted. Starting the installed hub/);
    rmSync(file);
    await assertBaseRuns(harness, /a\/skerry cannot be run \(ENOENT/);
  },
);

starts('a hub binary with a changed byte is detected after its start has failed', async ({ harness }) => {
  await update(harness);
  const file = harness.paths.binary('a');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('const { append', 'cxnst { append'));
  const hub = harness.start();
  assert.is(await hub.gone, 1);
  await assertBaseRuns(harness, /a\/skerry is corrupted. Starting the installed hub/);
  writeFileSync(file, text);
  await (await startUpdated(harness)).end();
});

starts(
  'a new hub binary that is damaged before its trial is rolled back without a start',
  async ({ harness }) => {
    await harness.onTrial(healthyHub());
    const file = harness.paths.binary('a');
    writeFileSync(file, readFileSync(file, 'utf8').replace('append', 'aqpend'));
    await assertBaseRuns(
      harness,
      /The new hub binary, version 9\.9\.9, failed its trial: .*a\/skerry is corrupted\. Rolled back to the previous hub\./,
    );
    assert.match(harness.readState().returned?.reason ?? '', /is corrupted$/);
  },
);

starts('a damaged update state is reported, and the installed hub runs', async ({ harness }) => {
  await update(harness);
  const whole = readFileSync(harness.paths.state, 'utf8');
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{}',
    whole.replace('"a"', '"c"'),
    whole.replace('"base"', '"bxse"'),
  ]) {
    writeFileSync(harness.paths.state, text);
    await assertBaseRuns(
      harness,
      /state\.json cannot be used \(.+\)\. Starting the installed hub instead: apply the update again\./,
    );
  }
  writeFileSync(harness.paths.state, whole);
  await (await startUpdated(harness)).end();
});

starts('a hub that was never updated creates no folder for updates', async ({ harness }) => {
  await assertBaseRuns(harness, / listens on /);
  assert.not(existsSync(harness.paths.folder));
});

starts(
  'a hub binary that was launched from an update slot launches no other hub binary',
  async ({ harness }) => {
    await harness.onTrial(FAILING);
    process.env['SKERRY_SLOT'] = harness.paths.binary('a');
    try {
      await assertBaseRuns(harness, / listens on /);
    } finally {
      delete process.env['SKERRY_SLOT'];
    }
    assert.is(harness.readState().trial?.tries, 0);
  },
);

starts.run();
