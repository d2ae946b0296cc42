import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HealthSpec, ModuleSpec } from '../../../src/supervisor/spec.ts';
import { lives, pidIn, until, withSupervisor } from '../../harness/supervisor.ts';

const checks = suite('supervisor: programs that check');

const ROOT = process.getuid?.() === 0;
const QUICK = { every: 20, timeout: 5_000, threshold: 2, readyWithin: 0 };

function checkedBy(...exec: string[]): HealthSpec {
  return { ...QUICK, check: { kind: 'exec', exec } };
}

/** Confinements that a module may have here. */
const WAYS: readonly Partial<ModuleSpec>[] = ROOT
  ? [{}, { limits: { pids: 50 } }, { user: 'dynamic' }, { sandbox: 'standard' }, { sandbox: 'strict' }]
  : [{}];

for (const more of WAYS) {
  checks(
    `processes started by an exec probe are killed with it, in any session: ${JSON.stringify(more)}`,
    () =>
      withSupervisor({ beneath: '/var/tmp' }, async stage => {
        // Only a control group finds what has wiped its environment.
        const wiped = ROOT ? 'env -i' : '';
        const script = `echo out; setsid ${wiped} sleep 1000 & echo $! > "$HOME/left"; test -e "$HOME/stay" || exit 1`;
        const health = { ...checkedBy('sh', '-c', script), every: 60_000 };
        const home = join(stage.folder, 'data/modules/m');
        const apart = more.user !== undefined || more.sandbox !== undefined;
        const env: Record<string, string> = apart ? {} : { HOME: stage.folder };
        await stage.supervisor.start([
          stage.sh('m', 'exec sleep 1000', { ...more, env, health, restart: 'never' }),
        ]);
        await until('a check has failed', () => stage.status('m').checkFailure !== undefined);
        const left = await pidIn(apart ? home : stage.folder, 'left');
        // In a process name space of its own it had another pid, and that ends with the first process of it.
        if (more.sandbox !== 'strict') assert.not(lives(left));
        assert.ok(lives(stage.status('m').pid ?? 0));
      }),
  );
}

type Reason = readonly [string, HealthSpec, string];

const REASONS: readonly Reason[] = [
  ['an exit code', checkedBy('sh', '-c', 'exit 3'), 'sh: exit 3'],
  [
    'what it says on standard error',
    checkedBy('sh', '-c', 'echo fine; echo first >&2; echo "no bus\\033[31m" >/dev/stderr; exit 1'),
    'sh: exit 1: "no bus\\u001b[31m"',
  ],
  ['what it prints', checkedBy('sh', '-c', 'echo not yet; false'), 'sh: exit 1: "not yet"'],
  ['a signal', checkedBy('sh', '-c', 'kill -9 $$'), 'sh: SIGKILL'],
  [
    'its time',
    { ...checkedBy('sh', '-c', 'echo waiting; sleep 1000'), timeout: 50 },
    'sh: timed out after 0.05 s: "waiting"',
  ],
  ['a program that is not there', checkedBy('./gone'), '/gone. Correct the path, or install the program.'],
  [
    'a program that is not in PATH',
    checkedBy('no-such-program'),
    'no-such-program is not in PATH. Install it, or give its path.',
  ],
  ['a port', { ...QUICK, check: { kind: 'tcp', port: 1 } }, 'port 1: connection refused (ECONNREFUSED)'],
  ['silence', { ...QUICK, check: { kind: 'reported' } }, 'no health report for 0.04 s'],
];

for (const [what, health, reason] of REASONS) {
  checks(`the reason of a failed check is in status, log and last exit: ${what}`, () =>
    withSupervisor({}, async stage => {
      const backoff = { first: 10, factor: 1, most: 10, forgivenAfter: 60_000 };
      await stage.supervisor.start([
        stage.sh('m', 'exec sleep 1000', { health, restart: 'always', backoff }),
      ]);
      await until('it was restarted', () => stage.status('m').restarts > 0);
      const { lastExit = '' } = stage.status('m');
      const [, told = ''] = /^unhealthy: (.*) \(SIGTERM\)$/.exec(lastExit) ?? [];
      assert.ok(told.endsWith(reason), lastExit);
      assert.ok(
        stage.said.includes(`warn: Health check of module "m" failed: ${told}`),
        stage.said.join('\n'),
      );
    }),
  );
}

checks('a failure reason is logged once, cleared by a success, and may come from the module', () =>
  withSupervisor({}, async stage => {
    const health: HealthSpec = { ...QUICK, every: 60_000, threshold: 9, check: { kind: 'reported' } };
    await stage.supervisor.start([stage.sh('m', 'exec sleep 1000', { health })]);
    for (let times = 0; times < 3; times += 1) stage.supervisor.reportHealth('m', false, 'it says "no bus"');
    assert.is(stage.status('m').checkFailure, 'it says "no bus"');
    assert.is(stage.said.filter(line => line.includes('no bus')).length, 1);
    stage.supervisor.reportHealth('m', true);
    assert.is(stage.status('m').checkFailure, undefined);
  }),
);

checks('a flood of output from an exec probe is read and dropped', () =>
  withSupervisor({}, async stage => {
    const flood = 'head -c 3000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 1';
    const health = checkedBy('sh', '-c', flood);
    await stage.supervisor.start([stage.sh('m', 'exec sleep 1000', { health, restart: 'on-failure' })]);
    await until('it has failed', () => stage.status('m').checkFailure !== undefined);
    assert.is(stage.status('m').checkFailure, 'sh: exit 1: "the end"');
  }),
);

checks.run();
