import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { logFor } from '../../src/core/log.ts';
import type { Deployment } from '../../src/deployment/deployment.ts';
import { deploymentId, EMPTY_LEDGER } from '../../src/deployment/deployment.ts';
import { openLedger } from '../../src/deployment/deployment-state.ts';
import { openArchive } from '../../src/deployment/manifest-files.ts';
import { createStage } from '../harness/queue.ts';

const log = logFor('hub', () => {});
const NEVER = new AbortController().signal;

function deployment(name: string): Deployment {
  return { id: deploymentId(name, '/'), home: '/', pack: undefined, name, serial: 1, taken: 0 };
}

const ledger = suite('deployments: ledger and archive');

ledger('what was written is there after a restart', async () => {
  const stage = await createStage();
  const archive = openArchive(join(stage.folder, 'deployments'));
  const book = openLedger(stage.store, archive, log);
  assert.equal(book.read(), EMPTY_LEDGER);
  const target = deployment('a');
  const attempt = { target, phase: 'applying', step: 3, of: 7, label: 'stop "m"', tries: 1 } as const;
  const written = book.write({ attempt, given: 'x' }, NEVER);
  assert.equal(book.read().attempt, attempt, 'what it says is what was said last');
  assert.is(book.told().attempt, undefined, 'others are told once it is on disk');
  await stage.commit();
  await written;
  assert.equal(book.told().attempt, attempt);
  await stage.restart();
  const again = openLedger(stage.store, archive, log);
  assert.equal({ ...again.read(), attempt }, { ...EMPTY_LEDGER, given: 'x', attempt });
  assert.equal(JSON.stringify(again.read().attempt), JSON.stringify(attempt));
  const settled = again.write({ attempt: undefined, current: target }, NEVER);
  await stage.commit();
  await settled;
  await stage.restart();
  assert.is(openLedger(stage.store, archive, log).read().attempt, undefined);
  await stage.finish();
});

ledger(
  'a store that is lost: the last healthy one, the newest serial, and what was given are known',
  async () => {
    const stage = await createStage();
    const folder = mkdtempSync(join(tmpdir(), 'skerry-ledger-'));
    const archive = openArchive(folder);
    const book = openLedger(stage.store, archive, log);
    const healthy = deployment('a');
    const newest = { serial: 4, id: healthy.id };
    book.note({ current: healthy, given: 'x' });
    book.note({ healthy, newest });
    book.note({ current: deployment('b') });
    await stage.commit();
    await stage.finish();
    const other = await createStage();
    const warnings: string[] = [];
    const found = openLedger(
      other.store,
      openArchive(folder),
      logFor('hub', (_level, _room, text) => warnings.push(text)),
    );
    const { current, ...rest } = found.read();
    assert.is(current?.id, healthy.id);
    assert.equal(
      [rest.healthy?.id, rest.newest, rest.given, rest.attempt],
      [healthy.id, newest, 'x', undefined],
    );
    assert.equal(warnings, ['The store knows of no deployment: the last healthy one runs again.']);
    await other.finish();
    rmSync(folder, { recursive: true });
  },
);

ledger('whoever leaves does not wait for the disk', async () => {
  const stage = await createStage();
  const book = openLedger(stage.store, openArchive(join(stage.folder, 'deployments')), log);
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
  const archive = openArchive(join(folder, 'deployments'));
  const text = 'x€'.repeat(200_000);
  archive.keep('a', text);
  archive.keep('b', 'b');
  archive.remember({ healthy: deployment('a'), newest: undefined, given: undefined });
  writeFileSync(join(folder, 'deployments/c.json.new'), 'cut sho');
  archive.only(new Set(['a']));
  assert.equal(readdirSync(join(folder, 'deployments')).sort(), ['a.json', 'healthy']);
  const again = openArchive(join(folder, 'deployments'));
  assert.is(again.read('a'), text);
  assert.is(again.read('b'), undefined);
  const remembered = again.remembered();
  assert.is(remembered !== 'damaged' && remembered.healthy?.name, 'a');
  assert.not(existsSync(join(folder, 'deployments/healthy.new')));
  rmSync(folder, { recursive: true });
});

ledger.run();
