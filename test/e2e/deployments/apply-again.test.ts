import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { openTestDevice, soon, type TestDevice, waiting } from '../../harness/device.ts';

type Context = { site: TestDevice };

const again = suite<Context>('e2e: skerry apply of what runs');

again.before.each(context => {
  context.site = openTestDevice();
});

again.after.each(({ site }) => site.close());

/** Ends with 3 as long as there is a file `broken`, and when somebody ends it. */
const FRAGILE = {
  exec: ['sh', '-c', 'test ! -e broken || exit 3; exec sleep 1002'],
  io: 'lines',
  restart: 'never',
};
const SET = soon({ modules: { kept: waiting(1001), m: FRAGILE } });

async function bringUp(site: TestDevice): Promise<void> {
  site.write('set.json', SET);
  await site.up('set.json');
  await site.healthy();
}

/** The module that must not be started again has ended badly. */
async function breakIt(site: TestDevice): Promise<void> {
  process.kill((await site.pids())['m'] ?? Number.NaN, 'SIGKILL');
  await until('it has failed', () => site.hub().log().includes('Module "m" exited: SIGKILL'));
}

const apply = (site: TestDevice, ...flags: readonly string[]) =>
  site.command('apply', site.at('set.json'), ...flags);

again('a module that has failed is started again, and nothing else is touched', async ({ site }) => {
  await bringUp(site);
  const well = await apply(site);
  assert.equal([well.code, well.out.split('\n').slice(1)], [0, ['  = keep 2 modules', '']]);
  assert.match(well.out, /: nothing to change\n/);
  await breakIt(site);
  const { kept } = await site.pids();
  const dry = await apply(site, '--dry-run');
  assert.equal(dry.out.split('\n').slice(1), ['  ~ restart m: it is not running', '  = keep 1 module', '']);
  const { code, out, err } = await apply(site);
  assert.equal([code, err], [0, '']);
  assert.equal(out.split('\n').slice(1, 3), dry.out.split('\n').slice(1, 3));
  assert.equal(site.commands(), ['kept: sleep 1001', 'm: sleep 1002']);
  assert.is((await site.pids())['kept'], kept);
  assert.match((await apply(site)).out, /nothing to change/);
});

again('one that fails again is told of, and all others go on', async ({ site }) => {
  await bringUp(site);
  await breakIt(site);
  const { kept } = await site.pids();
  site.write('broken', {});
  const { code, err } = await apply(site);
  assert.equal(
    [code, err],
    [1, 'skerry: Module "m" has failed: exit 3. There was no earlier deployment to roll back to.\n'],
  );
  assert.equal([site.commands(), (await site.pids())['kept']], [['kept: sleep 1001'], kept]);
  assert.is((await site.status()).deployment.outcome?.result, 'failed');
  rmSync(site.at('broken'));
  assert.is((await apply(site)).code, 0);
  assert.equal(site.commands(), ['kept: sleep 1001', 'm: sleep 1002']);
});

again('a module that was stopped by hand is started', async ({ site }) => {
  await bringUp(site);
  assert.is((await site.command('stop', 'kept')).code, 0);
  assert.equal(site.commands(), ['m: sleep 1002']);
  assert.is((await apply(site)).code, 0);
  assert.equal(site.commands(), ['kept: sleep 1001', 'm: sleep 1002']);
});

again('what never was well is not well because it is applied once more', async ({ site }) => {
  site.write('broken', {});
  site.write('set.json', SET);
  await site.up('set.json');
  await until('it has failed', () => site.hub().log().includes('exit 3'));
  const { code, err } = await apply(site);
  assert.equal([code, /^skerry: Module "m" has failed: exit 3\./.test(err)], [1, true], err);
  assert.is((await site.status()).deployment.healthy, undefined);
});

again('another manifest starts none that it does not change: they do not count', async ({ site }) => {
  await bringUp(site);
  await breakIt(site);
  const more = { more: waiting(1003) };
  const { code, err } = await site.apply(soon({ modules: { kept: waiting(1001), m: FRAGILE, ...more } }));
  assert.equal([code, err], [0, '']);
  assert.equal(site.commands(), ['kept: sleep 1001', 'more: sleep 1003']);
  assert.match(site.hub().log(), /Module "m" was unhealthy before and is unchanged: its health is ignored\./);
});

again.run();
