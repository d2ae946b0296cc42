import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pidsWithVariable } from '../../../src/core/proc.ts';
import type { Cgroup } from '../../../src/supervisor/cgroups/cgroup.ts';
import { openCgroup } from '../../../src/supervisor/cgroups/cgroup.ts';
import type { LimitName } from '../../../src/supervisor/cgroups/cgroup-files.ts';
import { CGROUP_V2 } from '../../../src/supervisor/cgroups/cgroup-files.ts';
import { cgroupMounts } from '../../../src/supervisor/cgroups/cgroup-mounts.ts';
import { openCgroupHierarchy } from '../../../src/supervisor/cgroups/hierarchy.ts';
import type { ModuleStatus } from '../../../src/supervisor/spec.ts';
import { skip } from '../../harness/skip.ts';
import type { SupervisorHarness } from '../../harness/supervisor.ts';
import { isRunning, pidIn, until, withSupervisor } from '../../harness/supervisor.ts';

const limits = suite('supervisor: resource limits');

const hierarchy = openCgroupHierarchy('skerry-test');
hierarchy.close();

const MEBIBYTE = 1 << 20;

/**
 * Returns true if a limit is enforced on this machine. Otherwise asserts that the module reports the lack.
 */
function isEnforced(limit: LimitName, { notEnforced }: ModuleStatus): boolean {
  const lack = hierarchy.unsupported.get(limit);
  assert.is(
    notEnforced.some(one => one.startsWith(`${limit}: `) && one.includes(lack ?? '\0')),
    lack !== undefined,
  );
  return lack === undefined;
}

async function waitForEnd(harness: SupervisorHarness, name: string): Promise<ModuleStatus> {
  await until(`${name} ends`, () => ['failed', 'ended'].includes(harness.status(name).state));
  return harness.status(name);
}

limits('a module above its memory limit is OOM-killed, and the other modules keep running', () =>
  withSupervisor({}, async harness => {
    const eater = harness.sh('eater', 'head -c 300m /dev/zero | tail', { limits: { memory: 24 * MEBIBYTE } });
    const other = harness.sh('other', 'echo $$ > pid; sleep 100');
    await harness.supervisor.start([eater, other]);
    const status = await waitForEnd(harness, 'eater');
    assert.is(status.state, 'failed');
    if (isEnforced('memory', status)) {
      assert.match(status.lastExit ?? '', /, OOM-killed at its memory limit$/);
      assert.ok((status.usage.oomKills ?? 0) > 0);
      assert.ok((status.usage.memoryPeakBytes ?? 0) <= 24 * MEBIBYTE);
    }
    assert.ok(isRunning(await pidIn(harness.folder, 'pid')));
    assert.is(harness.status('other').state, 'running');
  }),
);

limits('a fork bomb in a module is stopped at the pids limit and killed with all its processes', () =>
  withSupervisor({}, async harness => {
    const bomb = harness.sh('bomb', 'bomb() { bomb | bomb & }; bomb; sleep 100; echo survived', {
      limits: { pids: 16 },
      stopGrace: 100,
    });
    const held = !hierarchy.unsupported.has('pids');
    // Without a limit the fork bomb would exhaust this machine.
    await harness.supervisor.start(
      held ? [bomb] : [harness.sh('bomb', 'sleep 100', { limits: { pids: 16 } })],
    );
    if (isEnforced('pids', harness.status('bomb'))) {
      await until('a fork was refused', () => (harness.status('bomb').usage.forksRefused ?? 0) > 0);
      assert.ok((harness.status('bomb').usage.pids ?? 0) <= 16);
    }
    await harness.supervisor.stopModule('bomb');
    assert.equal(
      pidsWithVariable('SKERRY_RUN', value => value.includes('/bomb/')),
      [],
    );
  }),
);

limits('a module that uses all of its CPU time is throttled at its cpu limit', () =>
  withSupervisor({}, async harness => {
    const busy = harness.sh('busy', 'while :; do :; done', { limits: { cpu: 0.1 } });
    await harness.supervisor.start([busy]);
    if (!isEnforced('cpu', harness.status('busy'))) return;
    await until('it was held back', () => (harness.status('busy').usage.throttled ?? 0) > 2);
    const { cpuMs = 0, throttled = 0 } = harness.status('busy').usage;
    assert.ok(cpuMs > 0 && cpuMs <= (throttled + 3) * 100, `${cpuMs} ms in ${throttled} periods`);
  }),
);

limits('a child process with its own session and an empty environment is killed with its module', () =>
  withSupervisor({}, async harness => {
    const script = '(setsid env -i sh -c "echo \\$\\$ > daemon; exec sleep 100" &); exec sleep 100';
    await harness.supervisor.start([harness.sh('m', script, { limits: { pids: 50 } })]);
    const daemon = await pidIn(harness.folder, 'daemon');
    await harness.supervisor.stopModule('m');
    if (hierarchy.version === undefined) process.kill(daemon, 'SIGKILL');
    else assert.not.ok(isRunning(daemon));
  }),
);

limits(
  'a module with "require" in its manifest fails to start if the system cannot enforce a restriction',
  () =>
    withSupervisor({}, async harness => {
      const devices = ['/dev/nothing-of-that-name'];
      await harness.supervisor.start([
        harness.sh('m', 'sleep 100', { user: 'dynamic', devices, require: true }),
      ]);
      assert.is(harness.status('m').state, 'failed');
      assert.match(
        harness.status('m').lastExit ?? '',
        /^Not started, because "require" is set and this is not enforced: /,
      );
    }),
);

limits('the status of a module reports its resource usage, and a stop of the module removes its cgroup', () =>
  withSupervisor({}, async harness => {
    await harness.supervisor.start([
      harness.sh('m', 'echo up; exec sleep 100', { limits: { memory: 64 * MEBIBYTE } }),
    ]);
    await until('it has printed a line', () => harness.lines.length === 1);
    const { usage, pid } = harness.status('m');
    if (hierarchy.version !== undefined) assert.ok((usage.memoryBytes ?? 0) > 0 && usage.pids === 1);
    assert.ok(pid !== undefined);
    await harness.supervisor.stop();
    assert.equal(harness.status('m').usage, {});
  }),
);

limits('a module may have the name of a cgroup interface file', () =>
  withSupervisor({}, async harness => {
    const names = ['tasks', 'cgroup.procs', 'memory.max'];
    await harness.supervisor.start(
      names.map(name => harness.sh(name, 'exec sleep 100', { limits: { pids: 9 } })),
    );
    for (const name of names) assert.is(harness.status(name).state, 'running', harness.status(name).lastExit);
  }),
);

/** Folders of the control groups of a module whose name is unique on this machine. */
function groupsOf(name: string): string[] {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  // find prints errors when groups of other hubs disappear during the search.
  const { stdout } = spawnSync('find', [root, '-type', 'd', '-name', `m-${name}`], { encoding: 'utf8' });
  return stdout.split('\n').filter(path => path !== '');
}

limits('a cgroup that another program removed is created again at the next start of its module', () =>
  withSupervisor({}, async harness => {
    if (hierarchy.version === undefined) return skip('there are no control groups here');
    const name = 'vanishing';
    await harness.supervisor.start([harness.sh(name, 'exec sleep 100', { limits: { pids: 9 } })]);
    const removeGroups = async (): Promise<void> => {
      await harness.supervisor.stopModule(name);
      const groups = groupsOf(name);
      assert.ok(groups.length > 0);
      for (const group of groups) rmdirSync(group);
      for (const base of new Set(groups.map(dirname))) rmdirSync(base);
    };
    await removeGroups();
    await harness.supervisor.startModule(name);
    await until('it runs', () => harness.status(name).state === 'running');
    assert.ok(groupsOf(name).length > 0);
    await removeGroups();
    await harness.supervisor.stop();
  }),
);

/** Asserts that a process in a nested control group of a module is killed and the groups are removed. */
async function assertNestedKill(group: Cgroup): Promise<void> {
  const child = spawn('sleep', ['1000']);
  const gone = new Promise(done => child.once('exit', (_, signal) => done(signal)));
  const inner = group.procsFiles.map(procsFile => join(dirname(procsFile), 'inner', 'most'));
  try {
    for (const folder of inner) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'cgroup.procs'), String(child.pid));
    }
    assert.equal(group.nonMembers([child.pid ?? 0]), []);
    assert.not.ok(group.remove());
    assert.not.ok(group.kill());
    assert.is(await gone, 'SIGKILL');
    await until('it is empty', group.kill);
    await until('it is gone', group.remove);
    assert.ok(inner.every(folder => !existsSync(dirname(dirname(folder)))));
  } finally {
    child.kill('SIGKILL');
  }
}

limits('processes in child cgroups of a module are killed with the module', async () => {
  const opened = openCgroupHierarchy('skerry-test-nested');
  const group = opened.group('m');
  if (group === undefined) return skip('there are no control groups here');
  await assertNestedKill(group);
  opened.close();
});

limits('processes in child cgroups are killed also in a hybrid cgroup hierarchy of version 2', async () => {
  const mount = cgroupMounts('/proc').find(({ version }) => version === 2);
  if (mount === undefined || hierarchy.version !== 1) return;
  const folder = join(mount.point, 'skerry-test-nested');
  mkdirSync(folder);
  await assertNestedKill(openCgroup(new Map([['freezer', folder]]), CGROUP_V2));
});

limits.run();
