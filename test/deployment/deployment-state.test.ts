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

const states = suite('deployments: state and manifest files');

states('a deployment state that was written before a restart is read after the restart', async () => {
  const harness = await createStoreHarness();
  const manifestFiles = openManifestFiles(join(harness.folder, 'deployments'));
  const state = openDeploymentState(harness.store, manifestFiles, log);
  assert.equal(state.read(), EMPTY_RECORD);
  const target = deployment('a');
  const attempt = { target, phase: 'applying', step: 3, of: 7, label: 'stop "m"', tries: 1 } as const;
  const written = state.write({ attempt, given: 'x' }, NEVER);
  assert.equal(state.read().attempt, attempt, 'a read returns the last write');
  assert.is(state.committed().attempt, undefined, 'the committed state changes once the write is durable');
  await harness.commit();
  await written;
  assert.equal(state.committed().attempt, attempt);
  await harness.restart();
  const again = openDeploymentState(harness.store, manifestFiles, log);
  assert.equal({ ...again.read(), attempt }, { ...EMPTY_RECORD, given: 'x', attempt });
  assert.equal(JSON.stringify(again.read().attempt), JSON.stringify(attempt));
  const settled = again.write({ attempt: undefined, current: target }, NEVER);
  await harness.commit();
  await settled;
  await harness.restart();
  assert.is(openDeploymentState(harness.store, manifestFiles, log).read().attempt, undefined);
  await harness.finish();
});

states('the last healthy deployment and the newest serial survive the loss of the store', async () => {
  const harness = await createStoreHarness();
  const folder = mkdtempSync(join(tmpdir(), 'skerry-deployments-'));
  const manifestFiles = openManifestFiles(folder);
  const state = openDeploymentState(harness.store, manifestFiles, log);
  const healthy = deployment('a');
  const newest = { serial: 4, id: healthy.id };
  state.writeLazily({ current: healthy, given: 'x' });
  state.writeLazily({ healthy, newest });
  state.writeLazily({ current: deployment('b') });
  await harness.commit();
  await harness.finish();
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
});

states('a write of the deployment state that is aborted returns without waiting for the disk', async () => {
  const harness = await createStoreHarness();
  const state = openDeploymentState(
    harness.store,
    openManifestFiles(join(harness.folder, 'deployments')),
    log,
  );
  const abort = new AbortController();
  const writing = state.write({ given: 'x' }, abort.signal);
  abort.abort(new Error('left'));
  await writing.then(
    () => assert.unreachable(),
    (thrown: Error) => assert.is(thrown.message, 'left'),
  );
  await harness.commit();
  await harness.finish();
});

states('`retain` removes all saved manifests except the given manifests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-archive-'));
  const manifestFiles = openManifestFiles(join(folder, 'deployments'));
  const text = 'x€'.repeat(200_000);
  manifestFiles.save('a', text);
  manifestFiles.save('b', 'b');
  manifestFiles.saveRecovery({ healthy: deployment('a'), newest: undefined, given: undefined });
  writeFileSync(join(folder, 'deployments/c.json.new'), 'cut sho');
  manifestFiles.retain(new Set(['a']));
  assert.equal(readdirSync(join(folder, 'deployments')).sort(), ['a.json', 'healthy']);
  const again = openManifestFiles(join(folder, 'deployments'));
  assert.is(again.read('a'), text);
  assert.is(again.read('b'), undefined);
  const remembered = again.readRecovery();
  assert.is(remembered !== 'damaged' && remembered.healthy?.name, 'a');
  assert.not(existsSync(join(folder, 'deployments/healthy.new')));
  rmSync(folder, { recursive: true });
});

states.run();
