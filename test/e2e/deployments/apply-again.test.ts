import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';

type Context = { device: TestDevice };

const again = suite<Context>('e2e: skerry apply of the current manifest');

again.before.each(context => {
  context.device = openTestDevice();
});

again.after.each(({ device }) => device.close());

/** Module that exits with 3 if the file `broken` exists and sleeps otherwise. It is never restarted. */
const FRAGILE = {
  exec: ['sh', '-c', 'test ! -e broken || exit 3; exec sleep 1002'],
  io: 'lines',
  restart: 'never',
};
const MANIFEST = quickManifest({ modules: { kept: sleeper(1001), m: FRAGILE } });

async function startHealthy(device: TestDevice): Promise<void> {
  device.write('set.json', MANIFEST);
  await device.up('set.json');
  await device.healthy();
}

/** Kills module m, so that its state is failed. */
async function killModule(device: TestDevice): Promise<void> {
  process.kill((await device.pids())['m'] ?? Number.NaN, 'SIGKILL');
  await until('it has failed', () => device.hub().log().includes('Module "m" exited: SIGKILL'));
}

const apply = (device: TestDevice, ...flags: readonly string[]) =>
  device.command('apply', device.at('set.json'), ...flags);

again('a second apply of a manifest starts only the failed module again', async ({ device }) => {
  await startHealthy(device);
  const well = await apply(device);
  assert.equal([well.code, well.out.split('\n').slice(1)], [0, ['  = keep 2 modules', '']]);
  assert.match(well.out, /: nothing to change\n/);
  await killModule(device);
  const { kept } = await device.pids();
  const dry = await apply(device, '--dry-run');
  assert.equal(dry.out.split('\n').slice(1), [
    '  ~ restart m: the module does not run',
    '  = keep 1 module',
    '',
  ]);
  const { code, out, err } = await apply(device);
  assert.equal([code, err], [0, '']);
  assert.equal(out.split('\n').slice(1, 3), dry.out.split('\n').slice(1, 3));
  assert.equal(device.commands(), ['kept: sleep 1001', 'm: sleep 1002']);
  assert.is((await device.pids())['kept'], kept);
  assert.match((await apply(device)).out, /nothing to change/);
});

again(
  'a second apply of a manifest reports a module that fails again after its start',
  async ({ device }) => {
    await startHealthy(device);
    await killModule(device);
    const { kept } = await device.pids();
    device.write('broken', {});
    const { code, err } = await apply(device);
    assert.equal(
      [code, err],
      [1, 'skerry: Module "m" has failed: exit 3. There was no earlier deployment to roll back to.\n'],
    );
    assert.equal([device.commands(), (await device.pids())['kept']], [['kept: sleep 1001'], kept]);
    assert.is((await device.status()).deployment.outcome?.result, 'failed');
    rmSync(device.at('broken'));
    assert.is((await apply(device)).code, 0);
    assert.equal(device.commands(), ['kept: sleep 1001', 'm: sleep 1002']);
  },
);

again(
  'a second apply of a manifest starts a module again that `skerry stop` has stopped',
  async ({ device }) => {
    await startHealthy(device);
    assert.is((await device.command('stop', 'kept')).code, 0);
    assert.equal(device.commands(), ['m: sleep 1002']);
    assert.is((await apply(device)).code, 0);
    assert.equal(device.commands(), ['kept: sleep 1001', 'm: sleep 1002']);
  },
);

again('a deployment that has never been healthy stays unhealthy after a second apply', async ({ device }) => {
  device.write('broken', {});
  // A slow machine may need longer than 200 ms until the module exits.
  device.write('set.json', { ...MANIFEST, deployment: { healthyFor: '60s', within: '2m' } });
  await device.up('set.json');
  await until('it has failed', () => device.hub().log().includes('exit 3'));
  const { code, err } = await apply(device);
  assert.equal([code, /^skerry: Module "m" has failed: exit 3\./.test(err)], [1, true], err);
  assert.is((await device.status()).deployment.healthy, undefined);
});

again(
  'an apply of a changed manifest does not restart a failed module whose settings are unchanged',
  async ({ device }) => {
    await startHealthy(device);
    await killModule(device);
    const more = { more: sleeper(1003) };
    const { code, err } = await device.apply(
      quickManifest({ modules: { kept: sleeper(1001), m: FRAGILE, ...more } }),
    );
    assert.equal([code, err], [0, '']);
    assert.equal(device.commands(), ['kept: sleep 1001', 'more: sleep 1003']);
    assert.match(
      device.hub().log(),
      /Module "m" was unhealthy before this deployment and is unchanged: its health does not affect the result\./,
    );
  },
);

again.run();
