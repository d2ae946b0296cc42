import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { updatePaths } from '../../../src/self-update/paths.ts';
import { stageHub } from '../../../src/self-update/stage.ts';
import { readUpdateState } from '../../../src/self-update/state.ts';
import { beginTrial } from '../../../src/self-update/trial.ts';
import type { Site } from '../../campaigns/self-update/self-update.ts';
import {
  createSite,
  ENDS,
  HANGS,
  hubsOn,
  nextHub,
  pretender,
  refused,
} from '../../campaigns/self-update/self-update.ts';
import { isAllThere, namesOf, queueUp, settled } from '../../campaigns/self-update/self-update-kills.ts';
import { run, skerry, until } from '../../harness/binary.ts';
import { skip } from '../../harness/skip.ts';

const NO_COMPILER = 'there is no gcc to make a hub that does not work.';

/** A field name of the manifest for this machine. */
const arch = process.arch;

const update = suite<{ site: Site }>('e2e: the hub updates itself', { site: await createSite() });
update.before.each(async context => {
  await context.site.close();
  context.site = await createSite();
});
update.after(({ site }) => site.close());

/** The old hub runs the old set, and nothing else runs. */
async function isAsBefore({ seen, data }: Site): Promise<void> {
  const now = await seen();
  assert.equal([now.hub.binary, now.hub.onTrial, namesOf(now)], ['base', false, ['old running']]);
  assert.is(hubsOn(data).length, 1);
}

update(
  'a good one takes over with its manifest; nothing that waits is lost; so does the next',
  async ({ site }) => {
    const first = await site.start();
    await queueUp(site);
    const file = site.manifest('new', { hub: { [arch]: site.hub('one', nextHub(8)) } });
    const applied = await site.command('apply', file);
    assert.equal([applied.code, applied.err], [0, ''], first.log());
    assert.match(applied.out, /\n {2}~ replace the hub binary\n/);
    const now = await site.seen();
    assert.equal([now.hub.binary, now.hub.onTrial, namesOf(now)], ['a', false, ['new running']]);
    assert.match(now.hub.version, /8$/);
    assert.match(
      (await site.command('ps')).out,
      new RegExp(`^hub ${now.hub.version}, an update in slot a$`, 'm'),
    );
    assert.match(readFileSync(`/proc/${first.pid}/cmdline`, 'utf8'), /^\/bin\/sh\0.*skerry-watchdog/s);
    await isAllThere(site);

    const again = await site.command('apply', file);
    assert.equal([again.code, again.out.split('\n')[0]?.replace(/^.*: /, '')], [0, 'nothing to change']);
    assert.is((await site.seen()).pid, now.pid);

    const second = await site.command(
      'apply',
      site.manifest('newer', { hub: { [arch]: site.hub('two', nextHub(9)) } }),
    );
    assert.equal([second.code, second.err], [0, ''], first.log());
    const newer = await site.seen();
    assert.equal([newer.hub.binary, namesOf(newer)], ['b', ['newer running']]);
    assert.is(await first.end(), 0);

    const next = await site.start();
    assert.not.match(next.log(), /Start \d of/);
    const later = await site.seen();
    assert.equal([later.hub.binary, later.pid, namesOf(later)], ['b', next.pid, ['newer running']]);
    assert.is(hubsOn(site.data).length, 1);
  },
);

update(
  'one that ends at once is started three times; then the old one is back with the old set',
  async ({ site }) => {
    const bytes = pretender(site.folder, 'ends', ENDS);
    if (bytes === undefined) return skip(NO_COMPILER);
    const hub = await site.start();
    await queueUp(site);
    const applied = await site.command(
      'apply',
      site.manifest('new', { hub: { [arch]: site.hub('ends', bytes) } }),
    );
    refused(
      applied,
      1,
      /^skerry: The new hub failed its trial: it was not healthy in 3 starts: the last start exited with code 3\. Rolled back to the last healthy deployment\.$/m,
    );
    assert.equal(hub.log().match(/Start \d of 3/g), ['Start 1 of 3', 'Start 2 of 3', 'Start 3 of 3']);
    await isAsBefore(site);
    assert.is((await site.seen()).pid, hub.pid);
    await isAllThere(site);
    assert.is(await hub.end(), 0);
    await site.start();
    await isAsBefore(site);
  },
);

update(
  'one that hangs is ended when its time is over, though the hub was killed meanwhile',
  async ({ site }) => {
    const bytes = pretender(site.folder, 'hangs', HANGS);
    if (bytes === undefined) return skip(NO_COMPILER);
    const first = await site.start();
    const file = site.manifest('new', { hub: { [arch]: site.hub('hangs', bytes) } });
    await site.command('apply', file, '--no-wait');
    await until('it hangs', () => first.log().includes('Start 1 of 3'));
    await first.end('SIGKILL');
    // As if it had hung for nearly all of its two minutes: `npm run self-update` waits for them.
    const state = join(site.data, 'hub', 'state.json');
    const text = readFileSync(state, 'utf8');
    writeFileSync(state, text.replace('"seconds": 120', '"seconds": 2').replace('"grace": 15', '"grace": 1'));
    assert.is.not(readFileSync(state, 'utf8'), text);
    const second = await site.start();
    assert.match(
      second.log(),
      /failed its trial: it was not healthy within 2 seconds\. Rolled back to the previous hub\./,
    );
    await until('the old set is back', () => second.log().includes('Rolled back to'));
    await isAsBefore(site);
  },
);

update('one whose modules do not work goes, and takes its manifest with it', async ({ site }) => {
  const hub = await site.start();
  await queueUp(site);
  const more = {
    hub: { [arch]: site.hub('one', nextHub(8)) },
    modules: { bad: { exec: [join(site.folder, 'crash.sh')], restart: 'never' } },
  };
  refused(
    await site.command('apply', site.manifest('new', more)),
    1,
    /^skerry: Module "bad" has failed: .*7.*\. Rolled back to the last healthy deployment\.$/m,
  );
  assert.is(hub.log().match(/Start \d of 3/g)?.length, 1);
  await isAsBefore(site);
  await isAllThere(site);
});

update('a pack with hubs for both architectures: only that of this machine is taken', async ({ site }) => {
  const hub = await site.start();
  const foreign = nextHub(7);
  foreign.writeUInt16LE(arch === 'x64' ? 183 : 62, 18);
  const own = site.hub('own', nextHub(8));
  const other = site.hub('other', foreign);
  const hubs = arch === 'x64' ? { x64: own, arm64: other } : { x64: other, arm64: own };
  const file = site.manifest('new', { hub: hubs });
  const pack = join(site.folder, 'update.skerry');
  const { code, err } = run(['pack', file, '-o', pack]);
  assert.equal([code, err], [0, '']);
  const applied = await site.command('apply', pack);
  assert.equal([applied.code, applied.err], [0, ''], hub.log());
  const now = await site.seen();
  assert.equal([now.hub.binary, namesOf(now)], ['a', ['new running']]);
  assert.not(existsSync(join(site.data, 'hub', 'b')));
});

update(
  'what is not what it should be is refused in one sentence, and nothing is touched',
  async ({ site }) => {
    const hub = await site.start();
    const before = await site.seen();
    const foreign = nextHub(7);
    foreign.writeUInt16LE(arch === 'x64' ? 183 : 62, 18);
    const good = site.hub('good', nextHub(8));
    const cases: readonly (readonly [object, number, RegExp])[] = [
      [{ ...good, sha256: 'f'.repeat(64) }, 2, /^skerry: hub\.\w+.*f{64}/],
      [
        site.hub('foreign', foreign),
        2,
        /^skerry: The new hub is made for \w+, but this machine is \w+: correct "hub"\./,
      ],
      [site.hub('text', Buffer.from('#!/bin/sh\n')), 2, /^skerry: The new hub is not a Linux program/],
      [site.hub('empty', Buffer.alloc(0)), 2, /^skerry: The new hub is not a Linux program/],
      [{ ...good, from: 'gone' }, 2, /gone/],
    ];
    for (const [index, [named, code, sentence]] of cases.entries()) {
      const file = site.manifest(`new${index}`, { hub: { [arch]: named } });
      refused(await site.command('apply', file), code, sentence);
      const now = await site.seen();
      assert.equal(now.modules[0]?.pid, before.modules[0]?.pid);
      await isAsBefore(site);
    }
    assert.is((await site.seen()).pid, hub.pid);
    assert.not(existsSync(join(site.data, 'hub', 'state.json')));
  },
);

update('killed while the new hub is brought here, it begins anew and hands over', async ({ site }) => {
  const first = await site.start();
  await queueUp(site);
  const more = { hub: { [arch]: site.hub('one', nextHub(8)) } };
  await site.command('apply', site.manifest('new', more), '--no-wait');
  await until('it is begun', () => existsSync(join(site.data, 'hub', 'a', 'skerry.part')));
  await first.end('SIGKILL');
  const second = await site.start();
  const now = await settled(site, 30);
  assert.equal([now.hub.binary, namesOf(now)], ['a', ['new running']]);
  assert.match(second.log(), /was interrupted at step 0: applying it again\./);
  await isAllThere(site);
});

update('a hub that is told to end while another takes its place ends', async ({ site }) => {
  const hub = await site.start();
  const slow = { slow: { exec: [join(site.folder, 'stays.sh')], stopGraceSeconds: 2 } };
  assert.is((await site.command('apply', site.manifest('slow', { modules: slow }))).code, 0);
  const more = { hub: { [arch]: site.hub('one', nextHub(8)) } };
  await site.command('apply', site.manifest('new', more), '--no-wait');
  await until('it stops', () => hub.log().includes('Another hub takes its place'));
  assert.is(await hub.end(), 0);
  assert.equal([hubsOn(site.data), hub.log().includes('Start 1 of')], [[], false]);
  await site.start();
  const now = await settled(site, 30);
  assert.equal([now.hub.binary, namesOf(now)], ['a', ['new running']]);
});

update(
  'a new hub on trial that has no change to carry out stays when what runs is well',
  async ({ site }) => {
    const { data: dataFolder } = site;
    mkdirSync(dataFolder, { mode: 0o700 });
    const bytes = nextHub(8);
    const launched = { running: 'base' } as const;
    const { sha256 } = site.hub('one', bytes);
    const content = async function* () {
      yield bytes;
    };
    const staged = await stageHub(dataFolder, launched, { sha256, content });
    await beginTrial({ dataFolder, launched, program: skerry, staged });
    const hub = await site.start();
    await until(
      `it is good, but: ${hub.log()}`,
      () => readUpdateState(updatePaths(dataFolder)).state?.current === 'a',
    );
    const now = await site.seen();
    assert.equal([now.hub.binary, now.hub.onTrial, namesOf(now)], ['a', false, ['old running']]);
  },
);

update(
  'where nothing was deployed before, a hub that is refused or does not work leaves nothing',
  async ({ site }) => {
    const bytes = pretender(site.folder, 'ends', ENDS);
    if (bytes === undefined) return skip(NO_COMPILER);
    const ends = site.hub('ends', bytes);
    const first = await site.start({ bare: true });
    const wrong = { hub: { [arch]: { ...ends, sha256: 'f'.repeat(64) } } };
    refused(
      await site.command('apply', site.manifest('wrong', wrong)),
      2,
      /There was no earlier deployment to roll back to\.$/m,
    );
    refused(
      await site.command('apply', site.manifest('new', { hub: { [arch]: ends } })),
      1,
      /not healthy in 3 starts: .* There was no earlier deployment to roll back to\.$/m,
    );
    assert.is(await first.end(), 0);
    await site.start({ bare: true });
    const now = await site.seen();
    assert.equal([now.hub.binary, namesOf(now)], ['base', []]);
  },
);

update('no room for it: one sentence, and nothing is touched', async ({ site }) => {
  // A file of at most 80 MB, in the blocks of 512 bytes that a shell counts in.
  const hub = await site.start({ shell: 'trap "" XFSZ; ulimit -f 160000;' });
  refused(
    await site.command('apply', site.manifest('new', { hub: { [arch]: site.hub('one', nextHub(8)) } })),
    1,
    /^skerry: The new hub cannot be saved in \S+ \(.*\): free disk space/,
  );
  await isAsBefore(site);
  assert.is((await site.seen()).pid, hub.pid);
});

update.run();
