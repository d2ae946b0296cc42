import { chownSync, lchownSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dynamicRange } from '../../../src/supervisor/confinement/users.ts';
import { skip } from '../../harness/skip.ts';
import { until, withSupervisor } from '../../harness/supervisor.ts';

const users = suite('supervisor: users');

const ROOT = process.getuid?.() === 0;

users('dynamic user IDs do not overlap with the ranges of systemd or subuid', () => {
  const others = [
    [61_184, 65_519],
    [100_000, 2 ** 31],
  ] as const;
  for (const map of ['', '         0          0 4294967295\n', '         0     100000      65536\n']) {
    const { first, last } = rangeFor(map);
    for (const [from, to] of others) assert.ok(last < from || first > to, `${first} to ${last}`);
  }
  assert.ok(rangeFor('         0     100000      65536\n').last < 65_536);
});

function rangeFor(map: string) {
  const file = join('/var/tmp', `skerry-uid-map-${process.pid}`);
  writeFileSync(file, map);
  const range = dynamicRange(file);
  rmSync(file);
  return range;
}

users(
  'files of a module are changed to the new dynamic uid of the module, without following symbolic links',
  async () => {
    if (!ROOT) return skip('only root starts programs as another user');
    await withSupervisor({ beneath: '/var/tmp' }, async harness => {
      const own = join(harness.folder, 'data/modules/m');
      const outside = join(harness.folder, 'outside');
      mkdirSync(join(own, 'deep'), { recursive: true });
      for (const file of [outside, join(own, 'deep/file'), join(own, 'roots')]) writeFileSync(file, 'kept');
      symlinkSync(outside, join(own, 'link'));
      for (const path of [outside, own, join(own, 'deep'), join(own, 'deep/file')])
        chownSync(path, 61_500, 61_500);
      lchownSync(join(own, 'link'), 61_500, 61_500);
      const script = 'id -u; cat deep/file; touch deep/new';
      await harness.supervisor.start([
        harness.sh('m', `cd; ${script}`, { user: 'dynamic', startupOrder: 1 }),
      ]);
      await until('it has ended', () => harness.status('m').state === 'ended');
      const [uid, content] = harness.texts();
      assert.equal([harness.status('m').lastExit, content], ['exit 0', 'kept']);
      assert.ok(Number(uid) >= dynamicRange().first && Number(uid) <= dynamicRange().last);
      const owners = ['', 'deep', 'deep/file', 'link'].map(path => lstatSync(join(own, path)).uid);
      assert.equal(owners, [uid, uid, uid, uid].map(Number));
      assert.equal([lstatSync(outside).uid, lstatSync(join(own, 'roots')).uid], [61_500, 0]);
    });
  },
);

users.run();
