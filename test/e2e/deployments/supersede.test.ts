import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { signalProcessGroup } from '../../../src/supervisor/process/process-group.ts';
import { freePort, isFree, until } from '../../harness/binary.ts';
import { openTestDevice, soon, type TestDevice, waiting } from '../../harness/device.ts';
import { processesIn } from '../../harness/processes.ts';

type Context = { site: TestDevice };

const supersede = suite<Context>('e2e: a newer manifest');

/** Script that ignores SIGTERM and writes a file when it starts. */
const STUBBORN = `#!/bin/sh
trap '' TERM
: > trapped
while :; do sleep 0.1; done
`;

supersede.before.each(context => {
  context.site = openTestDevice({ 'stubborn.sh': STUBBORN });
});

supersede.after.each(({ site }) => site.close());

/** Milliseconds that `work` takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Applies another one; within five seconds it must run and be healthy, and the first is told so. */
async function overtake(
  site: TestDevice,
  stuck: ReturnType<TestDevice['apply']>,
  newer: object,
): Promise<void> {
  const took = await timed(async () => {
    const { code, out, err } = await site.apply(newer);
    assert.equal([code, err], [0, ''], out);
  });
  assert.ok(took < 5000, `${took} ms`);
  const { code, err } = await stuck;
  assert.is(code, 1);
  assert.is(err, 'skerry: Another manifest replaced this one: see "skerry ps".\n');
}

const KEPT = { kept: waiting(1001) };
const HOUR = { deployment: { healthyFor: '1s', within: '2h' } };

supersede('than one that waits for readiness for an hour', async ({ site }) => {
  site.write('first.json', soon({ modules: KEPT }));
  await site.up('first.json');
  const slow = waiting(1002, { health: { exec: ['false'], everySeconds: 60, readySeconds: 3600 } });
  const behind = waiting(1003, { startupOrder: 1 });
  const stuck = site.apply(soon({ modules: { ...KEPT, slow, behind }, ...HOUR }));
  await until('it waits', () => site.commands().includes('slow: sleep 1002'));
  const { kept } = await site.pids();
  await overtake(site, stuck, soon({ modules: { ...KEPT, behind } }));
  assert.equal(site.commands(), ['behind: sleep 1003', 'kept: sleep 1001']);
  assert.is((await site.pids())['kept'], kept);
});

supersede('with the same module that is awaited keeps it', async ({ site }) => {
  site.write('first.json', soon({ modules: KEPT }));
  await site.up('first.json');
  const slow = (more: object): object =>
    waiting(1002, { health: { exec: ['test', '-e', 'go'], everySeconds: 0.1, readySeconds: 3600, ...more } });
  const stuck = site.apply(soon({ modules: { ...KEPT, slow: slow({ threshold: 100 }) }, ...HOUR }));
  await until('it waits', () => site.commands().includes('slow: sleep 1002'));
  const before = await site.pids();
  writeFileSync(site.at('go'), '');
  await overtake(
    site,
    stuck,
    soon({ modules: { ...KEPT, slow: slow({ threshold: 99 }), more: waiting(1004) } }),
  );
  const { more, ...after } = await site.pids();
  assert.equal(after, before);
  assert.type(more, 'number');
});

supersede('than one that stops another module with a grace of an hour', async ({ site }) => {
  const stubborn = { exec: ['./stubborn.sh'], io: 'lines', stopGraceSeconds: 3600 };
  site.write('first.json', soon({ modules: { ...KEPT, stubborn } }));
  await site.up('first.json');
  await until('it hears nothing', () => site.commands().length === 2);
  await site.healthy();
  const stuck = site.apply(soon({ modules: { ...KEPT, other: waiting(1002) }, ...HOUR }));
  await until('it is told to stop', () => site.hub().log().includes('stop "stubborn"'));
  await overtake(site, stuck, soon({ modules: { ...KEPT, more: waiting(1003) } }));
  assert.equal(
    site.commands().filter(command => !command.startsWith('stubborn')),
    ['kept: sleep 1001', 'more: sleep 1003'],
  );
  const pid = (await site.pids())['stubborn'];
  process.kill(pid ?? Number.NaN, 'SIGKILL');
  await until('it is gone', () => site.commands().length === 2);
  // Its process goes before the hub knows of it.
  let told = Object.keys(await site.pids());
  for (let looks = 0; told.includes('stubborn') && looks < 100; looks++)
    told = Object.keys(await site.pids());
  assert.equal(told.sort(), ['kept', 'more']);
});

supersede(
  'than two of which one waits to start what the other stops: nothing of them comes later',
  async ({ site }) => {
    const stubborn = (argument: string): object => ({
      exec: ['./stubborn.sh', argument],
      io: 'lines',
      stopGraceSeconds: 3600,
    });
    site.write('first.json', soon({ modules: { ...KEPT, m: stubborn('one') } }));
    await site.up('first.json');
    await until('it hears nothing', () => site.commands().length === 2);
    const first = site.apply(soon({ modules: KEPT, ...HOUR }));
    await until('it is told to stop', () => site.hub().log().includes('step 1 of 3: stop "m"'));
    const second = site.apply(soon({ modules: { ...KEPT, m: stubborn('two') }, ...HOUR }));
    await until('the second waits to start it', () => site.hub().log().includes('start "m"'));
    assert.is((await first).code, 1);
    const third = site.apply(soon({ modules: { ...KEPT, more: waiting(1003) } }));
    assert.is((await second).code, 1);
    await until('the third waits for its end', () => /step 2 of \d: stop "m"/.test(site.hub().log()));
    // It may be killed before it was told to go: then the second's comes, and must go in its turn.
    const kills = setInterval(() => {
      for (const { pid, module } of processesIn(site.folder))
        if (module === 'm') signalProcessGroup(pid, 'SIGKILL');
    }, 50);
    const { code, err } = await third;
    clearInterval(kills);
    assert.equal([code, err], [0, '']);
    assert.equal(site.commands(), ['kept: sleep 1001', 'more: sleep 1003']);
  },
);

supersede('while the one before goes back', async ({ site }) => {
  const stubborn = { exec: ['./stubborn.sh'], io: 'lines', stopGraceSeconds: 3600 };
  site.write('first.json', soon({ modules: KEPT }));
  await site.up('first.json');
  await site.healthy();
  const bad = { exec: ['sh', '-c', 'exit 3'], restart: 'never', startupOrder: 2 };
  const stuck = site.apply(soon({ modules: { ...KEPT, stubborn, bad }, ...HOUR }));
  await until('it goes back', () => /Rollback of .* stop "stubborn"/.test(site.hub().log()));
  const took = await timed(async () => {
    const { code, err } = await site.apply(soon({ modules: { ...KEPT, more: waiting(1003) } }));
    assert.equal([code, err], [0, '']);
  });
  assert.ok(took < 5000, `${took} ms`);
  assert.is((await stuck).code, 1);
});

supersede('than one that waits for a client to go: none of its listeners comes later', async ({ site }) => {
  const [first, second, third] = [await freePort(), await freePort(), await freePort()];
  const listening = (port: number): object =>
    soon({ modules: KEPT, listeners: [{ mqtt: `127.0.0.1:${port}` }] });
  site.write('first.json', listening(first));
  await site.up('first.json');
  await site.healthy();
  // It says nothing and does not go by itself: the listener that it came in by is closed after two seconds.
  const silent = connect({ port: first, host: '127.0.0.1' });
  await once(silent, 'connect');
  silent.on('error', () => {}).resume();
  const stuck = site.apply(listening(second));
  await until('it closes the first one', () => site.hub().log().includes('change the listeners'));
  await overtake(site, stuck, listening(third));
  assert.equal((await site.status()).listeners, [`127.0.0.1:${third}`]);
  await until('it is put out', () => silent.closed);
  assert.ok(await isFree(second));
  assert.equal((await site.status()).listeners, [`127.0.0.1:${third}`]);
});

supersede('many at once: the last one runs, and each of the others is told', async ({ site }) => {
  site.write('first.json', soon({ modules: KEPT }));
  await site.up('first.json');
  // None becomes healthy before all have arrived, however far apart the commands reach the hub.
  const health = { exec: ['test', '-e', 'go'], everySeconds: 0.1, readySeconds: 3600 };
  let told = 0;
  const commands = [1, 2, 3, 4, 5, 6].map(async number => {
    const ended = await site.apply(
      soon({ modules: { ...KEPT, m: waiting(2000 + number, { health }) }, ...HOUR }),
    );
    told++;
    return ended;
  });
  await until('all but one are told', () => told === 5);
  writeFileSync(site.at('go'), '');
  const all = await Promise.all(commands);
  const well = all.filter(({ code }) => code === 0);
  assert.is(well.length, 1);
  for (const { code, err } of all)
    if (code !== 0)
      assert.equal([code, err], [1, 'skerry: Another manifest replaced this one: see "skerry ps".\n']);
  assert.is(site.commands().length, 2);
  const { deployment } = await site.status();
  assert.equal([deployment.attempt, deployment.outcome?.result], [undefined, 'healthy']);
});

supersede.run();
