import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { openTestDevice, soon, type TestDevice, waiting } from '../../harness/device.ts';

type Context = { site: TestDevice };

const lost = suite<Context>('e2e: manifests that a disk does not give back');

lost.before.each(context => {
  context.site = openTestDevice();
});

lost.after.each(({ site }) => site.close());

const GOOD = soon({ modules: { kept: waiting(1001) } });
/** Never healthy, but it runs. */
const UNPROVEN = soon({
  modules: { kept: waiting(1002, { health: { exec: ['false'], everySeconds: 60, readySeconds: 0.1 } }) },
});
const BROKEN = soon({
  modules: { kept: waiting(1003), bad: { exec: ['sh', '-c', 'exit 3'], restart: 'never' } },
});

const WAYS: Readonly<Record<string, readonly [damage: (file: string) => void, why: string]>> = {
  'has a changed byte': [
    file => writeFileSync(file, readFileSync(file, 'utf8').replace('edge', 'edgy')),
    'its file is corrupted',
  ],
  'is no JSON any more': [file => writeFileSync(file, '\0'.repeat(100)), 'its file is corrupted'],
  'is gone': [file => rmSync(file), 'its file is missing'],
  'cannot be read': [
    file => {
      rmSync(file);
      mkdirSync(file);
    },
    'EISDIR: illegal operation on a directory, read',
  ],
};

function damage(site: TestDevice, id: string | undefined, way = 'has a changed byte'): void {
  WAYS[way]?.[0](join(site.data, 'deployments', `${id}.json`));
}

/** A set that was healthy, and another that was given to the last start and never was; the hub is stopped. */
async function unproven(site: TestDevice): Promise<{ readonly healthy: string; readonly current: string }> {
  await site.up();
  assert.is((await site.apply(GOOD)).code, 0);
  site.write('unproven.json', UNPROVEN);
  await site.again('SIGTERM', 'unproven.json');
  await until('it runs', () => site.commands().join() === 'kept: sleep 1002');
  const healthy = (await site.status()).deployment.healthy?.id ?? '';
  // By its end all is on the disk.
  await site.hub().end('SIGTERM');
  const [current = ''] = readdirSync(join(site.data, 'deployments'))
    .map(name => name.replace('.json', ''))
    .filter(name => ![healthy, 'healthy'].includes(name));
  return { healthy, current };
}

const errors = (site: TestDevice): string[] =>
  site
    .hub()
    .log()
    .split('\n')
    .flatMap(line => / error hub: (.*)/.exec(line)?.[1] ?? []);

for (const [way, [, why]] of Object.entries(WAYS)) {
  lost(`the one that should run ${way}: the last healthy set runs, and that is said`, async ({ site }) => {
    const { healthy, current } = await unproven(site);
    damage(site, current, way);
    await site.up();
    await until('the healthy one runs', () => site.commands().join() === 'kept: sleep 1001');
    assert.equal(errors(site), [
      `The saved manifest of "edge" ${current.slice(0, 8)} cannot be read (${why}): rolling back to the last healthy deployment, "edge" ${healthy.slice(0, 8)}.`,
    ]);
    await site.healthy();
    await site.again('SIGTERM');
    await until('it runs again', () => site.commands().join() === 'kept: sleep 1001');
    assert.equal(errors(site), []);
  });
}

lost('there is no other: one sentence says so, and a manifest given to it helps', async ({ site }) => {
  await site.up();
  assert.is((await site.apply(GOOD)).code, 0);
  const { current } = (await site.status()).deployment;
  await site.hub().end('SIGTERM');
  damage(site, current?.id);
  const { code, err } = await site.command('up');
  assert.is(code, 1);
  const sentence = `The saved manifest of "edge" ${current?.id.slice(0, 8)} cannot be read (its file is corrupted): start the hub with another, "skerry up <manifest>".`;
  assert.equal(
    err.split('\n').filter(line => /error|^skerry/.test(line)),
    [`skerry: ${sentence}`],
    err,
  );
  site.write('good.json', GOOD);
  await site.up('good.json');
  await site.healthy();
  assert.equal(site.commands(), ['kept: sleep 1001']);
});

lost('the one that was given before is taken anew from where it was given', async ({ site }) => {
  site.write('good.json', GOOD);
  await site.up('good.json');
  await site.healthy();
  const { current } = (await site.status()).deployment;
  await site.hub().end('SIGTERM');
  damage(site, current?.id);
  await site.up('good.json');
  await until('it runs', () => site.commands().join() === 'kept: sleep 1001');
  assert.match(errors(site).join(), /its file is corrupted\): applying the manifest given to this start/);
  await site.again('SIGTERM');
  await until('it is there again', () => site.commands().join() === 'kept: sleep 1001');
  assert.equal(errors(site), []);
});

lost('that of the healthy set, while it runs: the way back needs no disk', async ({ site }) => {
  await site.up();
  assert.is((await site.apply(GOOD)).code, 0);
  damage(site, (await site.status()).deployment.healthy?.id);
  const { code, err } = await site.apply(BROKEN);
  assert.is(code, 1);
  assert.match(err, /exit 3.* Rolled back to the last healthy deployment\.\n$/);
  assert.equal(site.commands(), ['kept: sleep 1001']);
});

lost('that of the healthy set: the hub goes back to the one before, and says why', async ({ site }) => {
  const { healthy } = await unproven(site);
  damage(site, healthy);
  await site.up();
  await until('it runs', () => site.commands().length === 1);
  const { code, err } = await site.apply(BROKEN);
  assert.is(code, 1);
  const sentence = `The saved manifest of "edge" ${healthy.slice(0, 8)} cannot be read (its file is corrupted).`;
  assert.ok(err.includes(` ${sentence} `), err);
  await until('the one before runs', () => site.commands().join() === 'kept: sleep 1002');
  assert.is(errors(site).length, 1);
});

/** Has a hub killed while a set is watched that comes to nothing once there is a file `fail`. */
async function killWatched(site: TestDevice): Promise<{ readonly healthy: string; readonly target: string }> {
  await site.up();
  assert.is((await site.apply(GOOD)).code, 0);
  const script = 'while test ! -e fail; do sleep 0.1; done; exit 3';
  const modules = { kept: waiting(1004), m: { exec: ['sh', '-c', script], io: 'lines', restart: 'never' } };
  const watched = { modules, deployment: { healthyFor: '1h', within: '2h' } };
  assert.is((await site.apply(soon(watched), '--no-wait')).code, 0);
  await until('both run', () => site.commands().length === 2);
  const { healthy, attempt } = (await site.status()).deployment;
  await site.hub().end('SIGKILL');
  return { healthy: healthy?.id ?? '', target: attempt?.target.id ?? '' };
}

lost('that of the only healthy set: what runs goes on, and one sentence says it', async ({ site }) => {
  const { healthy } = await killWatched(site);
  damage(site, healthy);
  await site.up();
  await until('both run again', () => site.commands().length === 2);
  const { kept } = await site.pids();
  site.write('fail', {});
  await until('it is given up', () => errors(site).length > 0);
  const sentence = `Module "m" has failed: exit 3. The saved manifest of "edge" ${healthy.slice(0, 8)} cannot be read (its file is corrupted).`;
  assert.equal(errors(site).length, 1);
  assert.ok(
    errors(site)[0]?.endsWith(`there is no earlier deployment to roll back to: ${sentence}`),
    errors(site)[0],
  );
  assert.equal([site.commands(), (await site.pids())['kept']], [['kept: sleep 1004'], kept]);
  assert.is((await site.apply(GOOD)).code, 0);
  assert.equal(site.commands(), ['kept: sleep 1001']);
});

lost('that of a change that was cut off: the healthy set comes back', async ({ site }) => {
  const { target } = await killWatched(site);
  damage(site, target);
  await site.up();
  await until('the healthy one runs', () => site.commands().join() === 'kept: sleep 1001');
  await site.healthy();
  const { outcome } = (await site.status()).deployment;
  assert.is(outcome?.result, 'returned');
  assert.match(outcome?.failure?.sentence ?? '', /its file is corrupted\): apply it again\.$/);
});

lost(
  'the note of what was healthy, with the store: the hub is up, and is given another',
  async ({ site }) => {
    await site.up();
    assert.is((await site.apply(GOOD)).code, 0);
    await site.hub().end('SIGTERM');
    rmSync(join(site.data, 'store'), { recursive: true });
    writeFileSync(join(site.data, 'deployments', 'healthy'), '{"healthy');
    await site.up();
    assert.equal(errors(site), [
      'The store has no deployment, and the recovery file is corrupted: apply a manifest again.',
    ]);
    assert.is((await site.apply(GOOD)).code, 0);
    assert.equal(site.commands(), ['kept: sleep 1001']);
  },
);

lost.run();
