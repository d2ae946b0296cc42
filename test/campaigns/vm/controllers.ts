import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleUsage } from '../../../src/supervisor/cgroups/cgroup.ts';
import { openCgroupHierarchy } from '../../../src/supervisor/cgroups/hierarchy.ts';
import { until, withSupervisor } from '../../harness/supervisor.ts';

/** Runs only in the virtual machine, where all limits are enforced. */
const controllers = suite('campaign: control groups of version 2');

controllers('a hub in a virtual machine with cgroup version 2 enforces all module limits', () => {
  const hierarchy = openCgroupHierarchy('skerry-controllers');
  hierarchy.close();
  assert.is(hierarchy.version, 2);
  assert.equal([...hierarchy.unsupported], []);
});

controllers('a module that exceeds memoryHigh is throttled and not killed', () =>
  withSupervisor({}, async harness => {
    const high = 16 << 20;
    const total = 96 << 20;
    const script = `head -c ${total} /dev/zero | tail -c ${total} | wc -c; sleep 100`;
    await harness.supervisor.start([
      harness.sh('eater', script, { limits: { memory: 128 << 20, memoryHigh: high } }),
    ]);
    const usage = (): ModuleUsage => harness.status('eater').usage;
    await until('it is above memoryHigh', () => (usage().memoryPeakBytes ?? 0) > high);
    assert.equal(harness.status('eater').notEnforced, []);
    assert.is(harness.status('eater').state, 'running');
    assert.is(usage().oomKills, 0);
    // The kernel throttles the module to some 128 KB in two seconds.
    assert.ok((usage().memoryBytes ?? total) < high * 2, `${usage().memoryBytes}`);
  }),
);

controllers.run();
