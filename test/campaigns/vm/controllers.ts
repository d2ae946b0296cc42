import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleUsage } from '../../../src/supervisor/cgroups/cgroup.ts';
import { openCgroupHierarchy } from '../../../src/supervisor/cgroups/hierarchy.ts';
import { until, withSupervisor } from '../../harness/supervisor.ts';

/** Run in the virtual machine alone: there nothing is missing, so the other tests check limits that hold. */
const controllers = suite('control groups of version 2');

controllers('all limits hold', () => {
  const hierarchy = openCgroupHierarchy('skerry-controllers');
  hierarchy.close();
  assert.is(hierarchy.version, 2);
  assert.equal([...hierarchy.unsupported], []);
});

controllers('a module above its high mark is slowed down, not killed', () =>
  withSupervisor({}, async stage => {
    const high = 16 << 20;
    const most = 96 << 20;
    const script = `head -c ${most} /dev/zero | tail -c ${most} | wc -c; sleep 100`;
    await stage.supervisor.start([
      stage.sh('eater', script, { limits: { memory: 128 << 20, memoryHigh: high } }),
    ]);
    const usage = (): ModuleUsage => stage.status('eater').usage;
    await until('it is above its mark', () => (usage().memoryPeakBytes ?? 0) > high);
    assert.equal(stage.status('eater').notEnforced, []);
    assert.is(stage.status('eater').state, 'running');
    assert.is(usage().oomKills, 0);
    // The kernel grants it some 128 KB in two seconds now.
    assert.ok((usage().memoryBytes ?? most) < high * 2, `${usage().memoryBytes}`);
  }),
);

controllers.run();
