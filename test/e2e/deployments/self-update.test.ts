import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { updatePaths } from '../../../src/self-update/paths.ts';
import { stageHub } from '../../../src/self-update/stage.ts';
import { readUpdateState } from '../../../src/self-update/state.ts';
import { beginTrial } from '../../../src/self-update/trial.ts';
import type { UpdatableDevice } from '../../campaigns/self-update/self-update.ts';
import {
  assertRefused,
  compileFakeHub,
  createUpdatableDevice,
  EXITS,
  HANGS,
  hubsOn,
  hubWithVersion,
} from '../../campaigns/self-update/self-update.ts';
import {
  assertMessagesStored,
  endOfDeployment,
  moduleStates,
  queueMessages,
} from '../../campaigns/self-update/self-update-kills.ts';
import { run, skerry, until } from '../../harness/binary.ts';
import { skip } from '../../harness/skip.ts';

const NO_COMPILER = 'gcc is not installed, which compiles a faulty hub';

/** Architecture of this machine, a field name of the manifest. */
const arch = process.arch;

const update = suite<{ device: UpdatableDevice }>('e2e: self-update', {
  device: await createUpdatableDevice(),
});
update.before.each(async context => {
  await context.device.close();
  context.device = await createUpdatableDevice();
});
update.after(({ device }) => device.close());

/** Asserts that the old hub runs with the old manifest and that no other hub runs. */
async function assertOldHubRuns({ status, data }: UpdatableDevice): Promise<void> {
  const now = await status();
  assert.equal([now.hub.binary, now.hub.onTrial, moduleStates(now)], ['base', false, ['old running']]);
  assert.is(hubsOn(data).length, 1);
}

update(
  'a healthy new hub binary takes over with its manifest and loses no waiting message',
  async ({ device }) => {
    const first = await device.start();
    await queueMessages(device);
    const file = device.manifest('new', { hub: { [arch]: device.hub('one', hubWithVersion(8)) } });
    const applied = await device.command('apply', file);
    assert.equal([applied.code, applied.err], [0, ''], first.log());
    assert.match(applied.out, /\n {2}~ replace the hub binary\n/);
    const now = await device.status();
    assert.equal([now.hub.binary, now.hub.onTrial, moduleStates(now)], ['a', false, ['new running']]);
    assert.match(now.hub.version, /8$/);
    assert.match(
      (await device.command('ps')).out,
      new RegExp(`^hub ${now.hub.version}, an update in slot a$`, 'm'),
    );
    assert.match(readFileSync(`/proc/${first.pid}/cmdline`, 'utf8'), /^\/bin\/sh\0.*skerry-watchdog/s);
    await assertMessagesStored(device);

    const again = await device.command('apply', file);
    assert.equal([again.code, again.out.split('\n')[0]?.replace(/^.*: /, '')], [0, 'nothing to change']);
    assert.is((await device.status()).pid, now.pid);

    const second = await device.command(
      'apply',
      device.manifest('newer', { hub: { [arch]: device.hub('two', hubWithVersion(9)) } }),
    );
    assert.equal([second.code, second.err], [0, ''], first.log());
    const newer = await device.status();
    assert.equal([newer.hub.binary, moduleStates(newer)], ['b', ['newer running']]);
    assert.is(await first.end(), 0);

    const next = await device.start();
    assert.not.match(next.log(), /Trial start \d of/);
    const later = await device.status();
    assert.equal([later.hub.binary, later.pid, moduleStates(later)], ['b', next.pid, ['newer running']]);
    assert.is(hubsOn(device.data).length, 1);
  },
);

update(
  'a new hub binary that exits at its start is started three times, then the old hub is restored',
  async ({ device }) => {
    const bytes = compileFakeHub(device.folder, 'ends', EXITS);
    if (bytes === undefined) return skip(NO_COMPILER);
    const hub = await device.start();
    await queueMessages(device);
    const applied = await device.command(
      'apply',
      device.manifest('new', { hub: { [arch]: device.hub('ends', bytes) } }),
    );
    assertRefused(
      applied,
      1,
      /^skerry: The new hub failed its trial: it was not healthy in 3 starts: the last start exited with code 3\. Rolled back to the last healthy deployment\.$/m,
    );
    assert.equal(hub.log().match(/Trial start \d of 3/g), [
      'Trial start 1 of 3',
      'Trial start 2 of 3',
      'Trial start 3 of 3',
    ]);
    await assertOldHubRuns(device);
    assert.is((await device.status()).pid, hub.pid);
    await assertMessagesStored(device);
    assert.is(await hub.end(), 0);
    await device.start();
    await assertOldHubRuns(device);
  },
);

update(
  'a new hub binary that hangs is rolled back after its time limit, also after a SIGKILL of the hub',
  async ({ device }) => {
    const bytes = compileFakeHub(device.folder, 'hangs', HANGS);
    if (bytes === undefined) return skip(NO_COMPILER);
    const first = await device.start();
    const file = device.manifest('new', { hub: { [arch]: device.hub('hangs', bytes) } });
    await device.command('apply', file, '--no-wait');
    await until('it hangs', () => first.log().includes('Trial start 1 of 3'));
    await first.end('SIGKILL');
    // Shortens the time limit of two minutes. `npm run self-update` waits for all of it.
    const state = join(device.data, 'hub', 'state.json');
    const text = readFileSync(state, 'utf8');
    writeFileSync(state, text.replace('"seconds": 120', '"seconds": 2').replace('"grace": 15', '"grace": 1'));
    assert.is.not(readFileSync(state, 'utf8'), text);
    const second = await device.start();
    assert.match(
      second.log(),
      /failed its trial: it was not healthy within 2 seconds\. Rolled back to the previous hub\./,
    );
    await until('the old set is back', () => second.log().includes('Rolled back to'));
    await assertOldHubRuns(device);
  },
);

update(
  'a new hub binary whose modules fail is rolled back together with its manifest',
  async ({ device }) => {
    const hub = await device.start();
    await queueMessages(device);
    const more = {
      hub: { [arch]: device.hub('one', hubWithVersion(8)) },
      modules: { bad: { exec: [join(device.folder, 'crash.sh')], restart: 'never' } },
    };
    assertRefused(
      await device.command('apply', device.manifest('new', more)),
      1,
      /^skerry: Module "bad" has failed: .*7.*\. Rolled back to the last healthy deployment\.$/m,
    );
    assert.is(hub.log().match(/Trial start \d of 3/g)?.length, 1);
    await assertOldHubRuns(device);
    await assertMessagesStored(device);
  },
);

update(
  'from a pack with hub binaries for two architectures the hub installs the binary for its machine',
  async ({ device }) => {
    const hub = await device.start();
    const foreign = hubWithVersion(7);
    foreign.writeUInt16LE(arch === 'x64' ? 183 : 62, 18);
    const own = device.hub('own', hubWithVersion(8));
    const other = device.hub('other', foreign);
    const hubs = arch === 'x64' ? { x64: own, arm64: other } : { x64: other, arm64: own };
    const file = device.manifest('new', { hub: hubs });
    const pack = join(device.folder, 'update.skerry');
    const { code, err } = run(['pack', file, '-o', pack]);
    assert.equal([code, err], [0, '']);
    const applied = await device.command('apply', pack);
    assert.equal([applied.code, applied.err], [0, ''], hub.log());
    const now = await device.status();
    assert.equal([now.hub.binary, moduleStates(now)], ['a', ['new running']]);
    assert.not(existsSync(join(device.data, 'hub', 'b')));
  },
);

update('an invalid hub binary is refused with one sentence, and nothing is changed', async ({ device }) => {
  const hub = await device.start();
  const before = await device.status();
  const foreign = hubWithVersion(7);
  foreign.writeUInt16LE(arch === 'x64' ? 183 : 62, 18);
  const good = device.hub('good', hubWithVersion(8));
  const cases: readonly (readonly [object, number, RegExp])[] = [
    [{ ...good, sha256: 'f'.repeat(64) }, 2, /^skerry: hub\.\w+.*f{64}/],
    [
      device.hub('foreign', foreign),
      2,
      /^skerry: The new hub is made for \w+, but this machine is \w+: correct "hub"\./,
    ],
    [device.hub('text', Buffer.from('#!/bin/sh\n')), 2, /^skerry: The new hub is not a Linux program/],
    [device.hub('empty', Buffer.alloc(0)), 2, /^skerry: The new hub is not a Linux program/],
    [{ ...good, from: 'gone' }, 2, /gone/],
  ];
  for (const [index, [named, code, sentence]] of cases.entries()) {
    const file = device.manifest(`new${index}`, { hub: { [arch]: named } });
    assertRefused(await device.command('apply', file), code, sentence);
    const now = await device.status();
    assert.equal(now.modules[0]?.pid, before.modules[0]?.pid);
    await assertOldHubRuns(device);
  }
  assert.is((await device.status()).pid, hub.pid);
  assert.not(existsSync(join(device.data, 'hub', 'state.json')));
});

update(
  'a hub that is killed during the copy of a new hub binary repeats the copy at its restart and starts the binary',
  async ({ device }) => {
    const first = await device.start();
    await queueMessages(device);
    const more = { hub: { [arch]: device.hub('one', hubWithVersion(8)) } };
    await device.command('apply', device.manifest('new', more), '--no-wait');
    await until('it is begun', () => existsSync(join(device.data, 'hub', 'a', 'skerry.part')));
    await first.end('SIGKILL');
    const second = await device.start();
    const now = await endOfDeployment(device, 30);
    assert.equal([now.hub.binary, moduleStates(now)], ['a', ['new running']]);
    assert.match(second.log(), /was interrupted at step 0: applying it again\./);
    await assertMessagesStored(device);
  },
);

update(
  'a hub that receives SIGTERM during the handover to a new binary exits and starts no binary',
  async ({ device }) => {
    const hub = await device.start();
    const slow = { slow: { exec: [join(device.folder, 'stays.sh')], stopGraceSeconds: 2 } };
    assert.is((await device.command('apply', device.manifest('slow', { modules: slow }))).code, 0);
    const more = { hub: { [arch]: device.hub('one', hubWithVersion(8)) } };
    await device.command('apply', device.manifest('new', more), '--no-wait');
    await until('it stops', () => hub.log().includes('Stopping to start another hub binary'));
    assert.is(await hub.end(), 0);
    assert.equal([hubsOn(device.data), hub.log().includes('Trial start 1 of')], [[], false]);
    await device.start();
    const now = await endOfDeployment(device, 30);
    assert.equal([now.hub.binary, moduleStates(now)], ['a', ['new running']]);
  },
);

update(
  'a hub binary on trial without a pending deployment is confirmed if its modules are healthy',
  async ({ device }) => {
    const { data: dataFolder } = device;
    mkdirSync(dataFolder, { mode: 0o700 });
    const bytes = hubWithVersion(8);
    const launched = { running: 'base' } as const;
    const { sha256 } = device.hub('one', bytes);
    const content = async function* () {
      yield bytes;
    };
    const staged = await stageHub(dataFolder, launched, { sha256, content });
    await beginTrial({ dataFolder, launched, program: skerry, staged });
    const hub = await device.start();
    await until(
      `it is good, but: ${hub.log()}`,
      () => readUpdateState(updatePaths(dataFolder)).state?.current === 'a',
    );
    const now = await device.status();
    assert.equal([now.hub.binary, now.hub.onTrial, moduleStates(now)], ['a', false, ['old running']]);
  },
);

update(
  'a first deployment whose hub binary is refused or fails is not saved as a deployment',
  async ({ device }) => {
    const bytes = compileFakeHub(device.folder, 'ends', EXITS);
    if (bytes === undefined) return skip(NO_COMPILER);
    const ends = device.hub('ends', bytes);
    const first = await device.start({ bare: true });
    const wrong = { hub: { [arch]: { ...ends, sha256: 'f'.repeat(64) } } };
    assertRefused(
      await device.command('apply', device.manifest('wrong', wrong)),
      2,
      /There was no earlier deployment to roll back to\.$/m,
    );
    assertRefused(
      await device.command('apply', device.manifest('new', { hub: { [arch]: ends } })),
      1,
      /not healthy in 3 starts: .* There was no earlier deployment to roll back to\.$/m,
    );
    assert.is(await first.end(), 0);
    await device.start({ bare: true });
    const now = await device.status();
    assert.equal([now.hub.binary, moduleStates(now)], ['base', []]);
  },
);

update('a new hub binary that does not fit on the disk is refused with one sentence', async ({ device }) => {
  // Limits files to 80 MB, in the shell's unit of 512 bytes.
  const hub = await device.start({ shell: 'trap "" XFSZ; ulimit -f 160000;' });
  assertRefused(
    await device.command(
      'apply',
      device.manifest('new', { hub: { [arch]: device.hub('one', hubWithVersion(8)) } }),
    ),
    1,
    /^skerry: The new hub cannot be saved in \S+ \(.*\): free disk space/,
  );
  await assertOldHubRuns(device);
  assert.is((await device.status()).pid, hub.pid);
});

update.run();
