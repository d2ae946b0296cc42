import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openHierarchy } from '../../src/supervisor/confinement/hierarchy.ts';
import type { LimitName } from '../../src/supervisor/confinement/layout.ts';
import { pidsWith } from '../../src/supervisor/proc.ts';
import type { ModuleStatus } from '../../src/supervisor/spec.ts';
import type { Stage } from './stage.ts';
import { lives, onStage, pidIn, until } from './stage.ts';

const limits = suite('limits');

const hierarchy = openHierarchy('skerry-test');
hierarchy.close();

const MEBIBYTE = 1 << 20;

/** Whether a limit holds on this machine; where it does not, that must have been said. */
function holds(limit: LimitName, { notEnforced }: ModuleStatus): boolean {
  const lack = hierarchy.lacks.get(limit);
  assert.is(
    notEnforced.some(one => one.startsWith(`${limit}: `) && one.includes(lack ?? '\0')),
    lack !== undefined,
  );
  return lack === undefined;
}

async function ended(stage: Stage, name: string): Promise<ModuleStatus> {
  await until(`${name} ends`, () => ['failed', 'ended'].includes(stage.status(name).state));
  return stage.status(name);
}

limits('a module that eats memory is killed at its limit, says why, and the others go on', () =>
  onStage({}, async stage => {
    const eater = stage.sh('eater', 'head -c 300m /dev/zero | tail', { limits: { memory: 24 * MEBIBYTE } });
    const other = stage.sh('other', 'echo $$ > pid; sleep 100');
    await stage.supervisor.start([eater, other]);
    const status = await ended(stage, 'eater');
    assert.is(status.state, 'failed');
    if (holds('memory', status)) {
      assert.match(status.lastExit ?? '', /: its memory was at its limit$/);
      assert.ok((status.usage.oomKills ?? 0) > 0);
      assert.ok((status.usage.memoryPeak ?? 0) <= 24 * MEBIBYTE);
    }
    assert.ok(lives(await pidIn(stage.folder, 'pid')));
    assert.is(stage.status('other').state, 'running');
  }),
);

limits('a module that forks without end is stopped at its limit, and goes as a whole', () =>
  onStage({}, async stage => {
    const bomb = stage.sh('bomb', 'bomb() { bomb | bomb & }; bomb; sleep 100; echo survived', {
      limits: { pids: 16 },
      stopGrace: 100,
    });
    const held = !hierarchy.lacks.has('pids');
    // Where nothing holds it, this machine would not either.
    await stage.supervisor.start(held ? [bomb] : [stage.sh('bomb', 'sleep 100', { limits: { pids: 16 } })]);
    if (holds('pids', stage.status('bomb'))) {
      await until('a fork was refused', () => (stage.status('bomb').usage.forksRefused ?? 0) > 0);
      assert.ok((stage.status('bomb').usage.pids ?? 0) <= 16);
    }
    await stage.supervisor.stopModule('bomb');
    assert.equal(
      pidsWith('SKERRY_RUN', value => value.includes('/bomb/')),
      [],
    );
  }),
);

limits('a module that takes all of a processor is slowed down', () =>
  onStage({}, async stage => {
    const busy = stage.sh('busy', 'while :; do :; done', { limits: { cpu: 0.1 } });
    await stage.supervisor.start([busy]);
    if (!holds('cpu', stage.status('busy'))) return;
    await until('it was held back', () => (stage.status('busy').usage.throttled ?? 0) > 2);
    const { cpu = 0, throttled = 0 } = stage.status('busy').usage;
    assert.ok(cpu > 0 && cpu <= (throttled + 3) * 100, `${cpu} ms in ${throttled} periods`);
  }),
);

limits('what a module started with a session of its own and a wiped environment goes with it', () =>
  onStage({}, async stage => {
    const script = '(setsid env -i sh -c "echo \\$\\$ > daemon; exec sleep 100" &); exec sleep 100';
    await stage.supervisor.start([stage.sh('m', script, { limits: { pids: 50 } })]);
    const daemon = await pidIn(stage.folder, 'daemon');
    await stage.supervisor.stopModule('m');
    if (hierarchy.version === undefined) process.kill(daemon, 'SIGKILL');
    else assert.not.ok(lives(daemon));
  }),
);

limits('a module that requires what does not hold is not started, and says so', () =>
  onStage({}, async stage => {
    const devices = ['/dev/nothing-of-that-name'];
    await stage.supervisor.start([stage.sh('m', 'sleep 100', { user: 'dynamic', devices, require: true })]);
    assert.is(stage.status('m').state, 'failed');
    assert.match(stage.status('m').lastExit ?? '', /^It is not started without what it requires: /);
  }),
);

limits('usage is read back, and no group is left behind', () =>
  onStage({}, async stage => {
    await stage.supervisor.start([
      stage.sh('m', 'echo up; exec sleep 100', { limits: { memory: 64 * MEBIBYTE } }),
    ]);
    await until('it said so', () => stage.lines.length === 1);
    const { usage, pid } = stage.status('m');
    if (hierarchy.version !== undefined) assert.ok((usage.memory ?? 0) > 0 && usage.pids === 1);
    assert.ok(pid !== undefined);
    await stage.supervisor.stop();
    assert.equal(stage.status('m').usage, {});
  }),
);

limits.run();
