import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openCgroupHierarchy } from '../../../src/supervisor/cgroups/hierarchy.ts';
import { createConfiner } from '../../../src/supervisor/confinement/confine.ts';
import type { WrapperProbe } from '../../../src/supervisor/confinement/wrapper-probe.ts';
import { createWrapperProbe } from '../../../src/supervisor/confinement/wrapper-probe.ts';
import type { ModuleSpec } from '../../../src/supervisor/spec.ts';
import { createTestClock } from '../../harness/clock.ts';
import { skip } from '../../harness/skip.ts';
import {
  createRealClock,
  isRunning,
  pidIn,
  shellModule,
  until,
  writeScript,
} from '../../harness/supervisor.ts';

const confinement = suite<{ folder: string }>('supervisor: confinement');

confinement.before.each(context => {
  // Sandboxes have a private /tmp and accept no folder in it.
  context.folder = mkdtempSync('/var/tmp/skerry-confinement-');
});
confinement.after.each(({ folder }) => rmSync(folder, { recursive: true }));

const ROOT = process.getuid?.() === 0;

confinement('only a successful probe of a wrapper program is cached', async ({ folder }) => {
  const probe = createWrapperProbe(createRealClock());
  const tool = writeScript(folder, 'tool', `#!/bin/sh\ntest -e '${folder}/there' && exec "$@"\n`, 0o755);
  assert.is(await probe('tool', [tool]), `${tool} failed`);
  writeFileSync(join(folder, 'there'), '');
  assert.is(await probe('tool', [tool]), undefined);
  rmSync(join(folder, 'there'));
  assert.is(await probe('tool', [tool]), undefined);
});

confinement(
  'a wrapper program that cannot be started counts as a failed probe and causes no exception',
  async ({ folder }) => {
    const probe = createWrapperProbe(createRealClock());
    const none = join(folder, 'none');
    assert.is(await probe('none', [none]), `${none} is not installed`);
    writeFileSync(none, '');
    assert.match((await probe('below', [join(none, 'below')])) ?? '', /ENOTDIR/);
  },
);

confinement(
  'a wrapper program that hangs is killed with its child processes after the probe timeout',
  async context => {
    const clock = createTestClock();
    const probe = createWrapperProbe(clock);
    const script = `sleep 1000 & echo $! > '${context.folder}/pid'; wait`;
    const answer = probe('hangs', ['sh', '-c', script]);
    const pid = await pidIn(context.folder, 'pid');
    clock.advance(20_000);
    assert.is(await answer, 'sh timed out');
    await until('it is gone', () => !isRunning(pid));
    assert.is(clock.pending(), 0);
  },
);

/** Confines a module with the given wrapper probe. */
async function confined(folder: string, probe: WrapperProbe, more: Partial<ModuleSpec>) {
  const hierarchy = openCgroupHierarchy('skerry-test-confinement');
  const confiner = createConfiner({
    hierarchy: () => hierarchy,
    probe,
    ownFolders: join(folder, 'modules'),
    hidden: join(folder, 'hidden'),
  });
  try {
    return await confiner.confine(shellModule('m', '/', 'true', more));
  } finally {
    for (const group of hierarchy.groups()) group.remove();
    hierarchy.close();
  }
}

confinement(
  'a module whose user cannot be set is started again later, and never as the user of the hub',
  async ({ folder }) => {
    if (!ROOT) return skip('only root starts programs as another user');
    const broken: WrapperProbe = async name => (name.startsWith('setpriv') ? 'it is broken' : undefined);
    for (const sandbox of ['none', 'standard', 'strict'] as const) {
      const result = await confined(folder, broken, { user: '61000', sandbox });
      assert.equal(result, {
        reason: 'Cannot switch to user 61000 (it is broken): install util-linux.',
        transient: true,
      });
    }
  },
);

confinement(
  'a module whose private folder cannot be created fails with a transient start error',
  async ({ folder }) => {
    mkdirSync(join(folder, 'modules'));
    writeFileSync(join(folder, 'modules/m'), '');
    const result = await confined(folder, async () => undefined, { sandbox: 'standard' });
    if (!('reason' in result)) return assert.unreachable('it was confined');
    assert.match(result.reason, /^Cannot create the module's folder .*\/modules\/m \(E/);
    assert.ok(result.transient);
  },
);

/** Creates a fake /proc and mounts of a machine with cgroup version 1. Returns the path of /proc. */
function machine(folder: string, files: Readonly<Record<string, string>>): string {
  const group = join(folder, 'memory/hub');
  mkdirSync(join(folder, 'proc/self'), { recursive: true });
  mkdirSync(join(group, 'skerry-fake'), { recursive: true });
  for (const name of ['memory.limit_in_bytes', 'cgroup.procs'])
    writeFileSync(join(group, 'skerry-fake', name), '');
  const mount = `30 25 0:26 / ${join(folder, 'memory')} rw - cgroup cgroup rw,memory\n`;
  const proc = { 'self/mountinfo': mount, 'self/cgroup': '4:memory:/hub\n', ...files };
  for (const [name, text] of Object.entries(proc)) writeFileSync(join(folder, 'proc', name), text);
  return join(folder, 'proc');
}

confinement('a kernel without swap accounting is reported only if the machine has swap', ({ folder }) => {
  const head = 'Filename Type Size Used Priority\n';
  const lackWith = (swaps: string): string | undefined =>
    openCgroupHierarchy('skerry-fake', machine(folder, { swaps })).swapUnsupported;
  assert.is(lackWith(head), undefined);
  assert.match(lackWith(`${head}/dev/sda2 partition 1000 0 -2\n`) ?? '', /add swapaccount=1/);
  writeFileSync(join(folder, 'memory/hub/skerry-fake/memory.memsw.limit_in_bytes'), '');
  assert.is(lackWith(`${head}/dev/sda2 partition 1000 0 -2\n`), undefined);
});

/**
 * Fakes a container with cgroup version 2 and `pids` in its root. Returns the report about the pids limit.
 */
function container(folder: string, pids: readonly number[], events: boolean): string | undefined {
  const point = join(folder, 'cgroup');
  mkdirSync(point);
  const files = {
    controllers: 'pids',
    subtree_control: '',
    procs: pids.join('\n'),
    ...(events ? { events: '' } : {}),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(point, `cgroup.${name}`), text);
  const mount = `30 25 0:26 / ${point} rw - cgroup2 cgroup rw\n`;
  const proc = machine(folder, { 'self/mountinfo': mount, 'self/cgroup': '0::/\n' });
  return openCgroupHierarchy('skerry-fake', proc).unsupported.get('pids');
}

confinement(
  'a hub that is alone in its container moves into a leaf cgroup, so that cgroup controllers can be delegated',
  ({ folder }) => {
    container(folder, [process.pid], true);
    const aside = readFileSync(join(folder, 'cgroup/skerry-fake-hub/cgroup.procs'), 'utf8');
    assert.is(aside, String(process.pid));
  },
);

confinement(
  'a hub that shares its container with other programs stays in its cgroup and reports the reason',
  ({ folder }) => {
    assert.match(
      container(folder, [process.pid, 1], true) ?? '',
      /other programs .* run only the hub in the container$/,
    );
    assert.not.ok(existsSync(join(folder, 'cgroup/skerry-fake-hub')));
    assert.ok(existsSync(join(folder, 'cgroup/skerry-fake')));
  },
);

confinement('a hub in the root cgroup of a machine stays in the root cgroup', ({ folder }) => {
  container(folder, [process.pid, 1], false);
  assert.not.ok(existsSync(join(folder, 'cgroup/skerry-fake-hub')));
});

confinement.run();
