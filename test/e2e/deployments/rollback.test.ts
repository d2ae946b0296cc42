import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort, until } from '../../harness/binary.ts';
import { openTestDevice, soon, type TestDevice, waiting } from '../../harness/device.ts';

type Context = { site: TestDevice };

const back = suite<Context>('e2e: the way back');

back.before.each(context => {
  context.site = openTestDevice();
});

back.after.each(({ site }) => site.close());

const port = await freePort();
const GOOD = {
  listeners: [{ mqtt: `127.0.0.1:${port}` }],
  modules: { kept: { exec: ['sleep', '1001'] }, m: waiting(1002) },
};
const GOOD_COMMANDS = ['kept: sleep 1001', 'm: sleep 1002'];

/** The good one with another module, watched for `healthyFor`. */
function bad(m: object, healthyFor = '5s', more: object = {}): object {
  return soon({
    ...GOOD,
    modules: { ...GOOD.modules, m },
    deployment: { healthyFor, within: '20s' },
    ...more,
  });
}

async function bringUp(site: TestDevice): Promise<void> {
  site.write('good.json', soon(GOOD));
  await site.up('good.json');
  await until('all run', () => site.commands().length === 2);
  await site.healthy();
}

/** Runs while a file is there, and is well so long. */
const WELL = { exec: ['test', '-e', 'well'], everySeconds: 0.1, threshold: 2 };

const VERSIONS: readonly (readonly [
  what: string,
  manifest: object,
  sentence: RegExp,
  meanwhile?: (site: TestDevice) => Promise<void>,
])[] = [
  [
    'crashes after 2 s',
    bad({ exec: ['sh', '-c', 'sleep 2; exit 3'], io: 'lines', restart: 'never' }),
    /Module "m" has failed: exit 3\./,
  ],
  [
    'crashes again and again',
    bad({ exec: ['sh', '-c', 'sleep 0.3; exit 3'], io: 'lines', backoff: { firstSeconds: 0.1, factor: 1 } }),
    /Module "m" has ended 3 times, the last time by exit 3\./,
  ],
  [
    'never gets ready',
    bad({ exec: ['sleep', '1003'], health: { mqtt: true, readySeconds: 0.5 } }, '1s', {
      deployment: { healthyFor: '1s', within: '2s' },
    }),
    /It was not healthy within 2 s: module "m" is not ready\./,
  ],
  [
    'passes, and then fails its health check in its window',
    bad({ ...waiting(1003), health: WELL }),
    /Module "m" fails its checks: test: exit 1\./,
    async site => {
      await until('it is watched', () => site.hub().log().includes('Module "m" is ready'));
      rmSync(site.at('well'));
    },
  ],
  ['cannot be started', bad({ exec: ['./nowhere'] }), /modules\.m\.exec cannot be run: .*nowhere/],
  [
    'comes behind one that ends at once',
    bad({ exec: ['./nowhere'] }, '5s', {
      modules: {
        ...GOOD.modules,
        m: waiting(1004, { startupOrder: 2 }),
        first: { exec: ['sh', '-c', 'exit 3'], restart: 'never', startupOrder: 1 },
      },
    }),
    /Module "first" has failed: exit 3\./,
  ],
];

for (const [what, manifest, sentence, meanwhile] of VERSIONS) {
  back(`a version that ${what}: the last healthy set comes back by itself`, async ({ site }) => {
    await bringUp(site);
    const { kept } = await site.pids();
    site.write('well', {});
    const ended = site.apply(manifest);
    await meanwhile?.(site);
    const { code, out, err } = await ended;
    assert.is(code, 1, out);
    assert.match(err, sentence, err);
    assert.match(err, /^skerry: [^\n]+ Rolled back to the last healthy deployment\.\n$/);
    await until('the good one runs', () => site.commands().join() === GOOD_COMMANDS.join());
    assert.is((await site.pids())['kept'], kept, 'who is in both keeps its process');
    const { deployment, modules } = await site.status();
    assert.equal([deployment.outcome?.result, deployment.attempt], ['returned', undefined]);
    assert.is(deployment.current?.id, deployment.healthy?.id);
    assert.equal(modules.map(({ name }) => name).sort(), ['kept', 'm']);
    await site.again('SIGTERM', 'good.json');
    await until('the good one runs again', () => site.commands().join() === GOOD_COMMANDS.join());
  });
}

back(
  'a listener that is in use: all that runs keeps its process, and all listeners of before are there',
  async ({ site }) => {
    await bringUp(site);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const other = typeof address === 'object' && address !== null ? address.port : 0;
    const before = await site.pids();
    const routes = { r: 'FROM /* INTO topic("a")' };
    const listeners = [...GOOD.listeners, { ws: `127.0.0.1:${other}` }];
    const { code, err } = await site.apply(soon({ ...GOOD, routes, listeners }));
    taken.close();
    assert.is(code, 1);
    assert.match(
      err,
      new RegExp(
        `^skerry: Port ${other} on 127\\.0\\.0\\.1 is in use .* Rolled back to the last healthy deployment\\.\n$`,
      ),
    );
    assert.equal(await site.pids(), before);
    const status = await site.status();
    assert.equal([status.listeners, status.routes], [[`127.0.0.1:${port}`], []]);
  },
);

back('modules that were to come are not spoken of any more when they do not', async ({ site }) => {
  await bringUp(site);
  const users = { kept: { certificate: 'x' } };
  const more = { ...GOOD.modules, more: waiting(1005, { startupOrder: 9 }), first: { exec: ['./nowhere'] } };
  const { code } = await site.apply(soon({ ...GOOD, modules: more }));
  assert.is(code, 1);
  assert.equal((await site.status()).modules.map(({ name }) => name).sort(), ['kept', 'm']);
  assert.is((await site.apply(soon({ ...GOOD, users }))).code, 2);
});

back(
  'the set before was broken too: the last healthy one comes back, not merely the last',
  async ({ site }) => {
    await bringUp(site);
    await site.hub().end('SIGTERM');
    site.write('good.json', bad({ exec: ['sh', '-c', 'exit 3'], restart: 'never' }));
    await site.up('good.json');
    await until('the broken one has failed', () => site.hub().log().includes('exit 3'));
    const { deployment } = await site.status();
    assert.is.not(deployment.current?.id, deployment.healthy?.id);
    const { code, err } = await site.apply(bad({ exec: ['./nowhere'] }));
    assert.is(code, 1);
    assert.match(err, /Rolled back to the last healthy deployment/);
    await until('the healthy one runs', () => site.commands().join() === GOOD_COMMANDS.join());
    assert.is((await site.status()).deployment.current?.id, deployment.healthy?.id);
  },
);

back(
  'a module that was unwell before is no reason to go back; one of a change that was given up is',
  async ({ site }) => {
    const unwell = waiting(1006, { health: { exec: ['false'], everySeconds: 0.1 } });
    site.write('first.json', soon({ modules: { unwell, other: waiting(1001) } }));
    await site.up('first.json');
    await until('both run', () => site.commands().length === 2);
    const ended = await site.apply(soon({ modules: { unwell, other: waiting(1002) } }));
    assert.equal([ended.code, ended.err], [0, '']);
    const worse = { ...soon({}), deployment: { healthyFor: '200ms', within: '1h' } };
    const modules = {
      unwell,
      worse: waiting(1007, { health: { exec: ['false'], everySeconds: 0.1, readySeconds: 0.1 } }),
    };
    assert.is((await site.apply({ ...worse, modules }, '--no-wait')).code, 0);
    await until('it runs', () => site.commands().some(command => command.startsWith('worse')));
    const { code, err } = await site.apply(soon({ modules: { ...modules, more: waiting(1008) } }, '1s'));
    assert.is(code, 1);
    assert.match(err, /odule "worse" (is \w+|fails its checks)/, err);
  },
);

back(
  'the first one is refused before anything is done: the next start knows nothing of it',
  async ({ site }) => {
    await site.up();
    const bundle = { sha256: 'a'.repeat(64), from: 'gone' };
    const { code, err } = await site.apply(soon({ modules: { m: { exec: ['x'], bundle } } }));
    assert.is(code, 2);
    assert.match(err, /gone.* There was no earlier deployment to roll back to\.\n$/);
    await site.again('SIGTERM');
    await until('it is said', () => /Nothing is deployed yet/.test(site.hub().log()));
    assert.is((await site.apply(soon(GOOD))).code, 0);
    assert.equal(site.commands(), GOOD_COMMANDS);
  },
);

back('the first one does not work: it is kept, and keeps no hub from coming up', async ({ site }) => {
  await site.up();
  const m = { exec: ['sh', '-c', 'exit 3'], restart: 'never' };
  const { code, err } = await site.apply(soon({ modules: { m } }));
  assert.is(code, 1);
  assert.match(err, /Module "m" has failed.* There was no earlier deployment to roll back to\.\n$/);
  await site.again('SIGTERM');
  await until('it is tried', () => /Module "m" .*exit 3/.test(site.hub().log()));
  assert.is((await site.apply(soon(GOOD))).code, 0);
  assert.equal(site.commands(), GOOD_COMMANDS);
});

back.run();
