import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';

type Context = { device: TestDevice };

const lost = suite<Context>('e2e: saved manifests that cannot be read');

lost.before.each(context => {
  context.device = openTestDevice();
});

lost.after.each(({ device }) => device.close());

const HEALTHY = quickManifest({ modules: { kept: sleeper(1001) } });
/** A manifest whose module runs and never becomes healthy. */
const UNHEALTHY = quickManifest({
  modules: { kept: sleeper(1002, { health: { exec: ['false'], everySeconds: 60, readySeconds: 0.1 } }) },
});
const BROKEN = quickManifest({
  modules: { kept: sleeper(1003), bad: { exec: ['sh', '-c', 'exit 3'], restart: 'never' } },
});

const DAMAGES: Readonly<Record<string, readonly [damage: (file: string) => void, why: string]>> = {
  'has a changed byte': [
    file => writeFileSync(file, readFileSync(file, 'utf8').replace('edge', 'edgy')),
    'its file is corrupted',
  ],
  'is not JSON': [file => writeFileSync(file, '\0'.repeat(100)), 'its file is corrupted'],
  'is missing': [file => rmSync(file), 'its file is missing'],
  'cannot be read': [
    file => {
      rmSync(file);
      mkdirSync(file);
    },
    'EISDIR: illegal operation on a directory, read',
  ],
};

function damage(device: TestDevice, id: string | undefined, way = 'has a changed byte'): void {
  DAMAGES[way]?.[0](join(device.data, 'deployments', `${id}.json`));
}

/**
 * Leaves a stopped hub with a healthy deployment and a current one, which was given to the last start and was
 * never healthy.
 */
async function startUnhealthy(
  device: TestDevice,
): Promise<{ readonly healthy: string; readonly current: string }> {
  await device.up();
  assert.is((await device.apply(HEALTHY)).code, 0);
  device.write('unhealthy.json', UNHEALTHY);
  await device.restart('SIGTERM', 'unhealthy.json');
  await until('it runs', () => device.commands().join() === 'kept: sleep 1002');
  const healthy = (await device.status()).deployment.healthy?.id ?? '';
  // All state is on disk once the hub has exited.
  await device.hub().end('SIGTERM');
  const [current = ''] = readdirSync(join(device.data, 'deployments'))
    .map(name => name.replace('.json', ''))
    .filter(name => ![healthy, 'healthy'].includes(name));
  return { healthy, current };
}

const errors = (device: TestDevice): string[] =>
  device
    .hub()
    .log()
    .split('\n')
    .flatMap(line => / error hub: (.*)/.exec(line)?.[1] ?? []);

for (const [way, [, why]] of Object.entries(DAMAGES)) {
  lost(
    `if the file of the current manifest ${way}, the hub logs an error and runs the last healthy deployment`,
    async ({ device }) => {
      const { healthy, current } = await startUnhealthy(device);
      damage(device, current, way);
      await device.up();
      await until('the healthy one runs', () => device.commands().join() === 'kept: sleep 1001');
      assert.equal(errors(device), [
        `The saved manifest of "edge" ${current.slice(0, 8)} cannot be read (${why}): rolling back to the last healthy deployment, "edge" ${healthy.slice(0, 8)}.`,
      ]);
      await device.healthy();
      await device.restart('SIGTERM');
      await until('it runs again', () => device.commands().join() === 'kept: sleep 1001');
      assert.equal(errors(device), []);
    },
  );
}

lost(
  'a hub whose only saved manifest is corrupted exits with one sentence that names the cure',
  async ({ device }) => {
    await device.up();
    assert.is((await device.apply(HEALTHY)).code, 0);
    const { current } = (await device.status()).deployment;
    await device.hub().end('SIGTERM');
    damage(device, current?.id);
    const { code, err } = await device.command('up');
    assert.is(code, 1);
    const sentence = `The saved manifest of "edge" ${current?.id.slice(0, 8)} cannot be read (its file is corrupted): start the hub with another, "skerry up <manifest>".`;
    assert.equal(
      err.split('\n').filter(line => /error|^skerry/.test(line)),
      [`skerry: ${sentence}`],
      err,
    );
    device.write('good.json', HEALTHY);
    await device.up('good.json');
    await device.healthy();
    assert.equal(device.commands(), ['kept: sleep 1001']);
  },
);

lost(
  'a corrupted saved manifest is replaced if the hub is started again with the same manifest file',
  async ({ device }) => {
    device.write('good.json', HEALTHY);
    await device.up('good.json');
    await device.healthy();
    const { current } = (await device.status()).deployment;
    await device.hub().end('SIGTERM');
    damage(device, current?.id);
    await device.up('good.json');
    await until('it runs', () => device.commands().join() === 'kept: sleep 1001');
    assert.match(
      errors(device).join(),
      /its file is corrupted\): applying the manifest that "skerry up" names/,
    );
    await device.restart('SIGTERM');
    await until('it is there again', () => device.commands().join() === 'kept: sleep 1001');
    assert.equal(errors(device), []);
  },
);

lost(
  'a rollback to the running deployment succeeds although its saved manifest is corrupted',
  async ({ device }) => {
    await device.up();
    assert.is((await device.apply(HEALTHY)).code, 0);
    damage(device, (await device.status()).deployment.healthy?.id);
    const { code, err } = await device.apply(BROKEN);
    assert.is(code, 1);
    assert.match(err, /exit 3.* Rolled back to the last healthy deployment\.\n$/);
    assert.equal(device.commands(), ['kept: sleep 1001']);
  },
);

lost(
  'a failed deployment is rolled back to the previous manifest if the last healthy manifest is corrupted',
  async ({ device }) => {
    const { healthy } = await startUnhealthy(device);
    damage(device, healthy);
    await device.up();
    await until('it runs', () => device.commands().length === 1);
    const { code, err } = await device.apply(BROKEN);
    assert.is(code, 1);
    const sentence = `The saved manifest of "edge" ${healthy.slice(0, 8)} cannot be read (its file is corrupted).`;
    assert.ok(err.includes(` ${sentence} `), err);
    await until('the one before runs', () => device.commands().join() === 'kept: sleep 1002');
    assert.is(errors(device).length, 1);
  },
);

/** Kills a hub in the health window of a deployment that fails once the file `fail` exists. */
async function killInHealthWindow(
  device: TestDevice,
): Promise<{ readonly healthy: string; readonly target: string }> {
  await device.up();
  assert.is((await device.apply(HEALTHY)).code, 0);
  const script = 'while test ! -e fail; do sleep 0.1; done; exit 3';
  const modules = { kept: sleeper(1004), m: { exec: ['sh', '-c', script], io: 'lines', restart: 'never' } };
  const watched = { modules, deployment: { healthyFor: '1h', within: '2h' } };
  assert.is((await device.apply(quickManifest(watched), '--no-wait')).code, 0);
  await until('both run', () => device.commands().length === 2);
  const { healthy, attempt } = (await device.status()).deployment;
  await device.hub().end('SIGKILL');
  return { healthy: healthy?.id ?? '', target: attempt?.target.id ?? '' };
}

lost(
  'a failed deployment keeps running if the saved manifest of the only healthy deployment is corrupted',
  async ({ device }) => {
    const { healthy } = await killInHealthWindow(device);
    damage(device, healthy);
    await device.up();
    await until('both run again', () => device.commands().length === 2);
    const { kept } = await device.pids();
    device.write('fail', {});
    await until('it is given up', () => errors(device).length > 0);
    const sentence = `Module "m" has failed: exit 3. The saved manifest of "edge" ${healthy.slice(0, 8)} cannot be read (its file is corrupted).`;
    assert.equal(errors(device).length, 1);
    assert.ok(
      errors(device)[0]?.endsWith(`there is no earlier deployment to roll back to: ${sentence}`),
      errors(device)[0],
    );
    assert.equal([device.commands(), (await device.pids())['kept']], [['kept: sleep 1004'], kept]);
    assert.is((await device.apply(HEALTHY)).code, 0);
    assert.equal(device.commands(), ['kept: sleep 1001']);
  },
);

lost(
  'the last healthy deployment runs after a restart if the manifest of an interrupted apply is corrupted',
  async ({ device }) => {
    const { target } = await killInHealthWindow(device);
    damage(device, target);
    await device.up();
    await until('the healthy one runs', () => device.commands().join() === 'kept: sleep 1001');
    await device.healthy();
    const { outcome } = (await device.status()).deployment;
    assert.is(outcome?.result, 'returned');
    assert.match(outcome?.failure?.sentence ?? '', /its file is corrupted\): apply it again\.$/);
  },
);

lost(
  'a hub with a lost store and a corrupted recovery file starts without modules and accepts a manifest',
  async ({ device }) => {
    await device.up();
    assert.is((await device.apply(HEALTHY)).code, 0);
    await device.hub().end('SIGTERM');
    rmSync(join(device.data, 'store'), { recursive: true });
    writeFileSync(join(device.data, 'deployments', 'healthy'), '{"healthy');
    await device.up();
    assert.equal(errors(device), [
      'The store has no deployment, and the recovery file is corrupted: apply a manifest again.',
    ]);
    assert.is((await device.apply(HEALTHY)).code, 0);
    assert.equal(device.commands(), ['kept: sleep 1001']);
  },
);

lost.run();
