import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HealthSpec, ModuleSpec } from '../../../src/supervisor/spec.ts';
import { isRunning, pidIn, until, withSupervisor } from '../../harness/supervisor.ts';

const checks = suite('supervisor: exec probes');

const ROOT = process.getuid?.() === 0;
const QUICK = { every: 20, timeout: 5_000, threshold: 2, readyWithin: 0 };

function checkedBy(...exec: string[]): HealthSpec {
  return { ...QUICK, check: { kind: 'exec', exec } };
}

/** Confinements that the user of the test may use. */
const CONFINEMENTS: readonly Partial<ModuleSpec>[] = ROOT
  ? [{}, { limits: { pids: 50 } }, { user: 'dynamic' }, { sandbox: 'standard' }, { sandbox: 'strict' }]
  : [{}];

for (const more of CONFINEMENTS) {
  checks(
    `processes started by an exec probe of a module with ${JSON.stringify(more)} are killed with the probe`,
    () =>
      withSupervisor({ beneath: '/var/tmp' }, async harness => {
        // Only a control group finds processes that have cleared their environment.
        const wiped = ROOT ? 'env -i' : '';
        const script = `echo out; setsid ${wiped} sleep 1000 & echo $! > "$HOME/left"; test -e "$HOME/stay" || exit 1`;
        const health = { ...checkedBy('sh', '-c', script), every: 60_000 };
        const home = join(harness.folder, 'data/modules/m');
        const apart = more.user !== undefined || more.sandbox !== undefined;
        const env: Record<string, string> = apart ? {} : { HOME: harness.folder };
        await harness.supervisor.start([
          harness.sh('m', 'exec sleep 1000', { ...more, env, health, restart: 'never' }),
        ]);
        await until('a check has failed', () => harness.status('m').checkFailure !== undefined);
        const left = await pidIn(apart ? home : harness.folder, 'left');
        // In a strict sandbox the pid belongs to another PID namespace, which ends with its first process.
        if (more.sandbox !== 'strict') assert.not(isRunning(left));
        assert.ok(isRunning(harness.status('m').pid ?? 0));
      }),
  );
}

type Reason = readonly [string, HealthSpec, string];

const REASONS: readonly Reason[] = [
  ['exit code', checkedBy('sh', '-c', 'exit 3'), 'sh: exit 3'],
  [
    'standard error',
    checkedBy('sh', '-c', 'echo fine; echo first >&2; echo "no bus\\033[31m" >/dev/stderr; exit 1'),
    'sh: exit 1: "no bus\\u001b[31m"',
  ],
  ['standard output', checkedBy('sh', '-c', 'echo not yet; false'), 'sh: exit 1: "not yet"'],
  ['signal', checkedBy('sh', '-c', 'kill -9 $$'), 'sh: SIGKILL'],
  [
    'timeout',
    { ...checkedBy('sh', '-c', 'echo waiting; sleep 1000'), timeout: 50 },
    'sh: timed out after 0.05 s: "waiting"',
  ],
  ['missing program', checkedBy('./gone'), '/gone. Correct the path, or install the program.'],
  [
    'program not in PATH',
    checkedBy('no-such-program'),
    'no-such-program is not in PATH. Install it, or give its path.',
  ],
  [
    'refused connection',
    { ...QUICK, check: { kind: 'tcp', port: 1 } },
    'port 1: connection refused (ECONNREFUSED)',
  ],
  ['missing report', { ...QUICK, check: { kind: 'reported' } }, 'no health report for 0.04 s'],
];

for (const [what, health, reason] of REASONS) {
  checks(
    `the reason of a failed health check is in the status, log and last exit of the module (${what})`,
    () =>
      withSupervisor({}, async harness => {
        const backoff = { first: 10, factor: 1, most: 10, forgivenAfter: 60_000 };
        await harness.supervisor.start([
          harness.sh('m', 'exec sleep 1000', { health, restart: 'always', backoff }),
        ]);
        await until('it was restarted', () => harness.status('m').restarts > 0);
        const { lastExit = '' } = harness.status('m');
        const [, told = ''] = /^unhealthy: (.*) \(SIGTERM\)$/.exec(lastExit) ?? [];
        assert.ok(told.endsWith(reason), lastExit);
        assert.ok(
          harness.log.includes(`warn: Health check of module "m" failed: ${told}`),
          harness.log.join('\n'),
        );
      }),
  );
}

checks('the reason of a failed health check is logged once until a check succeeds', () =>
  withSupervisor({}, async harness => {
    const health: HealthSpec = { ...QUICK, every: 60_000, threshold: 9, check: { kind: 'reported' } };
    await harness.supervisor.start([harness.sh('m', 'exec sleep 1000', { health })]);
    for (let times = 0; times < 3; times += 1)
      harness.supervisor.reportHealth('m', false, 'the module reported "no bus"');
    assert.is(harness.status('m').checkFailure, 'the module reported "no bus"');
    assert.is(harness.log.filter(line => line.includes('no bus')).length, 1);
    harness.supervisor.reportHealth('m', true);
    assert.is(harness.status('m').checkFailure, undefined);
  }),
);

checks('an exec probe that prints megabytes and fails reports its last line as the reason', () =>
  withSupervisor({}, async harness => {
    const flood = 'head -c 3000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 1';
    const health = checkedBy('sh', '-c', flood);
    await harness.supervisor.start([harness.sh('m', 'exec sleep 1000', { health, restart: 'on-failure' })]);
    await until('it has failed', () => harness.status('m').checkFailure !== undefined);
    assert.is(harness.status('m').checkFailure, 'sh: exit 1: "the end"');
  }),
);

checks.run();
