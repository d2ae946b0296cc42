import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { logFor } from '../../src/core/log.ts';
import type { Deployment } from '../../src/deployment/deployment.ts';
import { deploymentId, EMPTY_RECORD } from '../../src/deployment/deployment.ts';
import { openDeploymentState } from '../../src/deployment/deployment-state.ts';
import { openManifestFiles } from '../../src/deployment/manifest-files.ts';
import { createStoreHarness } from '../harness/queue.ts';

const log = logFor('hub', () => {});
const NEVER = new AbortController().signal;

function deployment(name: string): Deployment {
  return { id: deploymentId(name, '/'), home: '/', pack: undefined, name, serial: 1, taken: 0 };
}

const ledger = suite('deployments: ledger and archive');

ledger('what was written is there after a restart', async () => {
  const stage = await createStoreHarness();
  const archive = openManifestFiles(join(stage.folder, 'deployments'));
  const book = openDeploymentState(stage.store, archive, log);
  assert.equal(book.read(), EMPTY_RECORD);
  const target = deployment('a');
  const attempt = { target, phase: 'applying', step: 3, of: 7, label: 'stop "m"', tries: 1 } as const;
  const written = book.write({ attempt, given: 'x' }, NEVER);
  assert.equal(book.read().attempt, attempt, 'what it says is what was said last');
  assert.is(book.committed().attempt, undefined, 'others are told once it is on disk');
  await stage.commit();
  await written;
  assert.equal(book.committed().attempt, attempt);
  await stage.restart();
  const again = openDeploymentState(stage.store, archive, log);
  assert.equal({ ...again.read(), attempt }, { ...EMPTY_RECORD, given: 'x', attempt });
  assert.equal(JSON.stringify(again.read().attempt), JSON.stringify(attempt));
  const settled = again.write({ attempt: undefined, current: target }, NEVER);
  await stage.commit();
  await settled;
  await stage.restart();
  assert.is(openDeploymentState(stage.store, archive, log).read().attempt, undefined);
  await stage.finish();
});

ledger(
  'a store that is lost: the last healthy one, the newest serial, and what was given are known',
  async () => {
    const stage = await createStoreHarness();
    const folder = mkdtempSync(join(tmpdir(), 'skerry-ledger-'));
    const archive = openManifestFiles(folder);
    const book = openDeploymentState(stage.store, archive, log);
    const healthy = deployment('a');
    const newest = { serial: 4, id: healthy.id };
    book.writeLazily({ current: healthy, given: 'x' });
    book.writeLazily({ healthy, newest });
    book.writeLazily({ current: deployment('b') });
    await stage.commit();
    await stage.finish();
    const other = await createStoreHarness();
    const warnings: string[] = [];
    const found = openDeploymentState(
      other.store,
      openManifestFiles(folder),
      logFor('hub', (_level, _room, text) => warnings.push(text)),
    );
    const { current, ...rest } = found.read();
    assert.is(current?.id, healthy.id);
    assert.equal(
      [rest.healthy?.id, rest.newest, rest.given, rest.attempt],
      [healthy.id, newest, 'x', undefined],
    );
    assert.equal(warnings, [
      'The store has no deployment: the hub applies the last healthy deployment from the recovery file.',
    ]);
    await other.finish();
    rmSync(folder, { recursive: true });
  },
);

ledger('whoever leaves does not wait for the disk', async () => {
  const stage = await createStoreHarness();
  const book = openDeploymentState(stage.store, openManifestFiles(join(stage.folder, 'deployments')), log);
  const abort = new AbortController();
  const writing = book.write({ given: 'x' }, abort.signal);
  abort.abort(new Error('left'));
  await writing.then(
    () => assert.unreachable(),
    (thrown: Error) => assert.is(thrown.message, 'left'),
  );
  await stage.commit();
  await stage.finish();
});

ledger('the archive keeps texts whole, and only those that are wanted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-archive-'));
  const archive = openManifestFiles(join(folder, 'deployments'));
  const text = 'x€'.repeat(200_000);
  archive.save('a', text);
  archive.save('b', 'b');
  archive.saveRecovery({ healthy: deployment('a'), newest: undefined, given: undefined });
  writeFileSync(join(folder, 'deployments/c.json.new'), 'cut sho');
  archive.retain(new Set(['a']));
  assert.equal(readdirSync(join(folder, 'deployments')).sort(), ['a.json', 'healthy']);
  const again = openManifestFiles(join(folder, 'deployments'));
  assert.is(again.read('a'), text);
  assert.is(again.read('b'), undefined);
  const remembered = again.readRecovery();
  assert.is(remembered !== 'damaged' && remembered.healthy?.name, 'a');
  assert.not(existsSync(join(folder, 'deployments/healthy.new')));
  rmSync(folder, { recursive: true });
});

ledger.run();
