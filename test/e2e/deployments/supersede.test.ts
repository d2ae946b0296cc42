import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { signalProcessGroup } from '../../../src/supervisor/process/process-group.ts';
import { freePort, isFree, until } from '../../harness/binary.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';
import { processesIn } from '../../harness/processes.ts';

type Context = { device: TestDevice };

const supersede = suite<Context>('e2e: superseded deployments');

/** Script that ignores SIGTERM and writes a file when it starts. */
const STUBBORN = `#!/bin/sh
trap '' TERM
: > trapped
while :; do sleep 0.1; done
`;

supersede.before.each(context => {
  context.device = openTestDevice({ 'stubborn.sh': STUBBORN });
});

supersede.after.each(({ device }) => device.close());

/** Milliseconds that `work` takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Maximum milliseconds until a newer manifest is healthy. Waiting for the blocked one would take an hour. */
const MAX_TAKEOVER_MS = 20_000;

/**
 * Applies a newer manifest, and asserts that it is healthy soon and that the command of the
 * blocked manifest reports the replacement.
 */
async function assertSupersedes(
  device: TestDevice,
  blocked: ReturnType<TestDevice['apply']>,
  newer: object,
): Promise<void> {
  const took = await timed(async () => {
    const { code, out, err } = await device.apply(newer);
    assert.equal([code, err], [0, ''], out);
  });
  assert.ok(took < MAX_TAKEOVER_MS, `${took} ms`);
  const { code, err } = await blocked;
  assert.is(code, 1);
  assert.is(err, 'skerry: Another manifest replaced this one: see "skerry ps".\n');
}

const KEPT = { kept: sleeper(1001) };
const HOUR = { deployment: { healthyFor: '1s', within: '2h' } };

supersede('a newer manifest supersedes a manifest that waits until a module is ready', async ({ device }) => {
  device.write('first.json', quickManifest({ modules: KEPT }));
  await device.up('first.json');
  const slow = sleeper(1002, { health: { exec: ['false'], everySeconds: 60, readySeconds: 3600 } });
  const behind = sleeper(1003, { startupOrder: 1 });
  const blocked = device.apply(quickManifest({ modules: { ...KEPT, slow, behind }, ...HOUR }));
  await until('it waits', () => device.commands().includes('slow: sleep 1002'));
  const { kept } = await device.pids();
  await assertSupersedes(device, blocked, quickManifest({ modules: { ...KEPT, behind } }));
  assert.equal(device.commands(), ['behind: sleep 1003', 'kept: sleep 1001']);
  assert.is((await device.pids())['kept'], kept);
});

supersede(
  'a newer manifest with the same module keeps the process that a superseded manifest has started',
  async ({ device }) => {
    device.write('first.json', quickManifest({ modules: KEPT }));
    await device.up('first.json');
    const slow = (more: object): object =>
      sleeper(1002, {
        health: { exec: ['test', '-e', 'go'], everySeconds: 0.1, readySeconds: 3600, ...more },
      });
    const blocked = device.apply(
      quickManifest({ modules: { ...KEPT, slow: slow({ threshold: 100 }) }, ...HOUR }),
    );
    await until('it waits', () => device.commands().includes('slow: sleep 1002'));
    const before = await device.pids();
    writeFileSync(device.at('go'), '');
    await assertSupersedes(
      device,
      blocked,
      quickManifest({ modules: { ...KEPT, slow: slow({ threshold: 99 }), more: sleeper(1004) } }),
    );
    const { more, ...after } = await device.pids();
    assert.equal(after, before);
    assert.type(more, 'number');
  },
);

supersede('a newer manifest supersedes a manifest that waits for a module to stop', async ({ device }) => {
  const stubborn = { exec: ['./stubborn.sh'], io: 'lines', stopGraceSeconds: 3600 };
  device.write('first.json', quickManifest({ modules: { ...KEPT, stubborn } }));
  await device.up('first.json');
  await until('it ignores SIGTERM', () => device.commands().length === 2);
  await device.healthy();
  const blocked = device.apply(quickManifest({ modules: { ...KEPT, other: sleeper(1002) }, ...HOUR }));
  await until('it is being stopped', () => device.hub().log().includes('stop "stubborn"'));
  await assertSupersedes(device, blocked, quickManifest({ modules: { ...KEPT, more: sleeper(1003) } }));
  assert.equal(
    device.commands().filter(command => !command.startsWith('stubborn')),
    ['kept: sleep 1001', 'more: sleep 1003'],
  );
  const pid = (await device.pids())['stubborn'];
  process.kill(pid ?? Number.NaN, 'SIGKILL');
  await until('it is gone', () => device.commands().length === 2);
  // The hub notices the exit after the process has disappeared.
  let told = Object.keys(await device.pids());
  for (let looks = 0; told.includes('stubborn') && looks < 100; looks++)
    told = Object.keys(await device.pids());
  assert.equal(told.sort(), ['kept', 'more']);
});

supersede(
  'a newer manifest supersedes two blocked manifests, and no module of these two manifests runs',
  async ({ device }) => {
    const stubborn = (argument: string): object => ({
      exec: ['./stubborn.sh', argument],
      io: 'lines',
      stopGraceSeconds: 3600,
    });
    device.write('first.json', quickManifest({ modules: { ...KEPT, m: stubborn('one') } }));
    await device.up('first.json');
    await until('it ignores SIGTERM', () => device.commands().length === 2);
    const first = device.apply(quickManifest({ modules: KEPT, ...HOUR }));
    await until('it is being stopped', () => device.hub().log().includes('step 1 of 3: stop "m"'));
    const second = device.apply(quickManifest({ modules: { ...KEPT, m: stubborn('two') }, ...HOUR }));
    await until('the second waits to start it', () => device.hub().log().includes('start "m"'));
    assert.is((await first).code, 1);
    const third = device.apply(quickManifest({ modules: { ...KEPT, more: sleeper(1003) } }));
    assert.is((await second).code, 1);
    await until('the third waits for its end', () => /step 2 of \d: stop "m"/.test(device.hub().log()));
    // If the process is killed before its stop, the module of the second manifest starts and must stop too.
    const kills = setInterval(() => {
      for (const { pid, module } of processesIn(device.folder))
        if (module === 'm') signalProcessGroup(pid, 'SIGKILL');
    }, 50);
    const { code, err } = await third;
    clearInterval(kills);
    assert.equal([code, err], [0, '']);
    assert.equal(device.commands(), ['kept: sleep 1001', 'more: sleep 1003']);
  },
);

supersede('a newer manifest supersedes a manifest that is being rolled back', async ({ device }) => {
  const stubborn = { exec: ['./stubborn.sh'], io: 'lines', stopGraceSeconds: 3600 };
  device.write('first.json', quickManifest({ modules: KEPT }));
  await device.up('first.json');
  await device.healthy();
  const bad = { exec: ['sh', '-c', 'exit 3'], restart: 'never', startupOrder: 2 };
  const blocked = device.apply(quickManifest({ modules: { ...KEPT, stubborn, bad }, ...HOUR }));
  await until('it goes back', () => /Rollback of .* stop "stubborn"/.test(device.hub().log()));
  const took = await timed(async () => {
    const { code, err } = await device.apply(quickManifest({ modules: { ...KEPT, more: sleeper(1003) } }));
    assert.equal([code, err], [0, '']);
  });
  assert.ok(took < MAX_TAKEOVER_MS, `${took} ms`);
  assert.is((await blocked).code, 1);
});

supersede(
  'a manifest that waits for a client is superseded by a newer manifest and never opens its listeners',
  async ({ device }) => {
    const [first, second, third] = [await freePort(), await freePort(), await freePort()];
    const listening = (port: number): object =>
      quickManifest({ modules: KEPT, listeners: [{ mqtt: `127.0.0.1:${port}` }] });
    device.write('first.json', listening(first));
    await device.up('first.json');
    await device.healthy();
    // The client neither sends nor disconnects, so its listener is closed after two seconds.
    const silent = connect({ port: first, host: '127.0.0.1' });
    await once(silent, 'connect');
    silent.on('error', () => {}).resume();
    const blocked = device.apply(listening(second));
    await until('it closes the first one', () => device.hub().log().includes('change the listeners'));
    await assertSupersedes(device, blocked, listening(third));
    assert.equal((await device.status()).listeners, [`127.0.0.1:${third}`]);
    await until('the client is disconnected', () => silent.closed);
    assert.ok(await isFree(second));
    assert.equal((await device.status()).listeners, [`127.0.0.1:${third}`]);
  },
);

supersede(
  'the last of several concurrent manifests runs, and the other apply commands report the replacement',
  async ({ device }) => {
    device.write('first.json', quickManifest({ modules: KEPT }));
    await device.up('first.json');
    // No manifest becomes healthy before all commands have reached the hub.
    const health = { exec: ['test', '-e', 'go'], everySeconds: 0.1, readySeconds: 3600 };
    let told = 0;
    const commands = [1, 2, 3, 4, 5, 6].map(async number => {
      const ended = await device.apply(
        quickManifest({ modules: { ...KEPT, m: sleeper(2000 + number, { health }) }, ...HOUR }),
      );
      told++;
      return ended;
    });
    await until('all but one are told', () => told === 5);
    writeFileSync(device.at('go'), '');
    const all = await Promise.all(commands);
    const well = all.filter(({ code }) => code === 0);
    assert.is(well.length, 1);
    for (const { code, err } of all)
      if (code !== 0)
        assert.equal([code, err], [1, 'skerry: Another manifest replaced this one: see "skerry ps".\n']);
    assert.is(device.commands().length, 2);
    const { deployment } = await device.status();
    assert.equal([deployment.attempt, deployment.outcome?.result], [undefined, 'healthy']);
  },
);

supersede.run();
