import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort, until } from '../../harness/binary.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';

type Context = { device: TestDevice };

const rollback = suite<Context>('e2e: rollback');

rollback.before.each(context => {
  context.device = openTestDevice();
});

rollback.after.each(({ device }) => device.close());

const port = await freePort();
const HEALTHY = {
  listeners: [{ mqtt: `127.0.0.1:${port}` }],
  modules: { kept: { exec: ['sleep', '1001'] }, m: sleeper(1002) },
};
const HEALTHY_COMMANDS = ['kept: sleep 1001', 'm: sleep 1002'];

/** The healthy manifest with another module m and the health window `healthyFor`. */
function changedManifest(m: object, healthyFor = '5s', more: object = {}): object {
  return quickManifest({
    ...HEALTHY,
    modules: { ...HEALTHY.modules, m },
    deployment: { healthyFor, within: '20s' },
    ...more,
  });
}

async function startHealthy(device: TestDevice): Promise<void> {
  device.write('good.json', quickManifest(HEALTHY));
  await device.up('good.json');
  await until('all run', () => device.commands().length === 2);
  await device.healthy();
}

/** Health check that succeeds while the file `well` exists. */
const WELL = { exec: ['test', '-e', 'well'], everySeconds: 0.1, threshold: 2 };

const VERSIONS: readonly (readonly [
  what: string,
  manifest: object,
  sentence: RegExp,
  meanwhile?: (device: TestDevice) => Promise<void>,
])[] = [
  [
    'crashes after 2 s',
    changedManifest({ exec: ['sh', '-c', 'sleep 2; exit 3'], io: 'lines', restart: 'never' }),
    /Module "m" has failed: exit 3\./,
  ],
  [
    'crashes again and again',
    changedManifest({
      exec: ['sh', '-c', 'sleep 0.3; exit 3'],
      io: 'lines',
      backoff: { firstSeconds: 0.1, factor: 1 },
    }),
    /Module "m" has ended 3 times, the last time by exit 3\./,
  ],
  [
    'never becomes ready',
    changedManifest({ exec: ['sleep', '1003'], health: { mqtt: true, readySeconds: 0.5 } }, '1s', {
      deployment: { healthyFor: '1s', within: '2s' },
    }),
    /It was not healthy within 2 s: module "m" is not ready\./,
  ],
  [
    'becomes ready and fails its health check within the health window',
    changedManifest({ ...sleeper(1003), health: WELL }),
    /Module "m" fails its checks: test: exit 1\./,
    async device => {
      await until('it is watched', () => device.hub().log().includes('Module "m" is ready'));
      rmSync(device.at('well'));
    },
  ],
  [
    'cannot be started',
    changedManifest({ exec: ['./nowhere'] }),
    /modules\.m\.exec cannot be run: .*nowhere/,
  ],
  [
    'waits for a module that exits at once',
    changedManifest({ exec: ['./nowhere'] }, '5s', {
      modules: {
        ...HEALTHY.modules,
        m: sleeper(1004, { startupOrder: 2 }),
        first: { exec: ['sh', '-c', 'exit 3'], restart: 'never', startupOrder: 1 },
      },
    }),
    /Module "first" has failed: exit 3\./,
  ],
];

for (const [what, manifest, sentence, meanwhile] of VERSIONS) {
  rollback(
    `a deployment whose module ${what} is rolled back to the last healthy deployment`,
    async ({ device }) => {
      await startHealthy(device);
      const { kept } = await device.pids();
      device.write('well', {});
      const ended = device.apply(manifest);
      await meanwhile?.(device);
      const { code, out, err } = await ended;
      assert.is(code, 1, out);
      assert.match(err, sentence, err);
      assert.match(err, /^skerry: [^\n]+ Rolled back to the last healthy deployment\.\n$/);
      await until('the healthy deployment runs', () => device.commands().join() === HEALTHY_COMMANDS.join());
      assert.is((await device.pids())['kept'], kept, 'an unchanged module keeps its process');
      const { deployment, modules } = await device.status();
      assert.equal([deployment.outcome?.result, deployment.attempt], ['returned', undefined]);
      assert.is(deployment.current?.id, deployment.healthy?.id);
      assert.equal(modules.map(({ name }) => name).sort(), ['kept', 'm']);
      await device.restart('SIGTERM', 'good.json');
      await until(
        'the healthy deployment runs again',
        () => device.commands().join() === HEALTHY_COMMANDS.join(),
      );
    },
  );
}

rollback(
  'a deployment with a listener on a port in use is rolled back, and no module is restarted',
  async ({ device }) => {
    await startHealthy(device);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const other = typeof address === 'object' && address !== null ? address.port : 0;
    const before = await device.pids();
    const routes = { r: 'FROM /* INTO topic("a")' };
    const listeners = [...HEALTHY.listeners, { ws: `127.0.0.1:${other}` }];
    const { code, err } = await device.apply(quickManifest({ ...HEALTHY, routes, listeners }));
    taken.close();
    assert.is(code, 1);
    assert.match(
      err,
      new RegExp(
        `^skerry: Port ${other} on 127\\.0\\.0\\.1 is in use .* Rolled back to the last healthy deployment\\.\n$`,
      ),
    );
    assert.equal(await device.pids(), before);
    const status = await device.status();
    assert.equal([status.listeners, status.routes], [[`127.0.0.1:${port}`], []]);
  },
);

rollback('modules that a rolled-back manifest has added are removed from the status', async ({ device }) => {
  await startHealthy(device);
  const users = { kept: { certificate: 'x' } };
  const more = {
    ...HEALTHY.modules,
    more: sleeper(1005, { startupOrder: 9 }),
    first: { exec: ['./nowhere'] },
  };
  const { code } = await device.apply(quickManifest({ ...HEALTHY, modules: more }));
  assert.is(code, 1);
  assert.equal((await device.status()).modules.map(({ name }) => name).sort(), ['kept', 'm']);
  assert.is((await device.apply(quickManifest({ ...HEALTHY, users }))).code, 2);
});

rollback(
  'a rollback restores the last healthy deployment, not a later unhealthy deployment',
  async ({ device }) => {
    await startHealthy(device);
    await device.hub().end('SIGTERM');
    device.write('good.json', changedManifest({ exec: ['sh', '-c', 'exit 3'], restart: 'never' }));
    await device.up('good.json');
    await until('the broken one has failed', () => device.hub().log().includes('exit 3'));
    const { deployment } = await device.status();
    assert.is.not(deployment.current?.id, deployment.healthy?.id);
    const { code, err } = await device.apply(changedManifest({ exec: ['./nowhere'] }));
    assert.is(code, 1);
    assert.match(err, /Rolled back to the last healthy deployment/);
    await until('the healthy one runs', () => device.commands().join() === HEALTHY_COMMANDS.join());
    assert.is((await device.status()).deployment.current?.id, deployment.healthy?.id);
  },
);

rollback(
  'a module that was already unhealthy before a deployment causes no rollback of this deployment',
  async ({ device }) => {
    const unhealthy = sleeper(1006, { health: { exec: ['false'], everySeconds: 0.1 } });
    device.write('first.json', quickManifest({ modules: { unhealthy, other: sleeper(1001) } }));
    await device.up('first.json');
    await until('both run', () => device.commands().length === 2);
    const ended = await device.apply(quickManifest({ modules: { unhealthy, other: sleeper(1002) } }));
    assert.equal([ended.code, ended.err], [0, '']);
    const worse = { ...quickManifest({}), deployment: { healthyFor: '200ms', within: '1h' } };
    const modules = {
      unhealthy,
      worse: sleeper(1007, { health: { exec: ['false'], everySeconds: 0.1, readySeconds: 0.1 } }),
    };
    assert.is((await device.apply({ ...worse, modules }, '--no-wait')).code, 0);
    await until('it runs', () => device.commands().some(command => command.startsWith('worse')));
    const { code, err } = await device.apply(
      quickManifest({ modules: { ...modules, more: sleeper(1008) } }, '1s'),
    );
    assert.is(code, 1);
    assert.match(err, /odule "worse" (is \w+|fails its checks)/, err);
  },
);

rollback(
  'a first manifest that is refused before any change does not run at the next start of the hub',
  async ({ device }) => {
    await device.up();
    const bundle = { sha256: 'a'.repeat(64), from: 'gone' };
    const { code, err } = await device.apply(quickManifest({ modules: { m: { exec: ['x'], bundle } } }));
    assert.is(code, 2);
    assert.match(err, /gone.* There was no earlier deployment to roll back to\.\n$/);
    await device.restart('SIGTERM');
    await until('the hub logs it', () => /Nothing is deployed yet/.test(device.hub().log()));
    assert.is((await device.apply(quickManifest(HEALTHY))).code, 0);
    assert.equal(device.commands(), HEALTHY_COMMANDS);
  },
);

rollback(
  'a first manifest whose module fails is saved and does not prevent the next start of the hub',
  async ({ device }) => {
    await device.up();
    const m = { exec: ['sh', '-c', 'exit 3'], restart: 'never' };
    const { code, err } = await device.apply(quickManifest({ modules: { m } }));
    assert.is(code, 1);
    assert.match(err, /Module "m" has failed.* There was no earlier deployment to roll back to\.\n$/);
    await device.restart('SIGTERM');
    await until('it is tried', () => /Module "m" .*exit 3/.test(device.hub().log()));
    assert.is((await device.apply(quickManifest(HEALTHY))).code, 0);
    assert.equal(device.commands(), HEALTHY_COMMANDS);
  },
);

rollback.run();
