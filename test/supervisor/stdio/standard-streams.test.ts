import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SandboxLevel } from '../../../src/supervisor/confinement/sandbox.ts';
import type { ModuleSpec } from '../../../src/supervisor/spec.ts';
import { skip } from '../../harness/skip.ts';
import type { SupervisorHarness } from '../../harness/supervisor.ts';
import { openFiles, until, withSupervisor } from '../../harness/supervisor.ts';

const streams = suite('supervisor: standard streams');

/** Harness folder outside of /tmp, because a sandbox has a private /tmp. */
const OUTSIDE_TMP = { beneath: '/var/tmp' };

const LEVELS: readonly SandboxLevel[] = ['none', 'standard', 'strict'];

/** Script that reopens each standard stream by its name. */
const REOPEN = `readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 | cut -d: -f1
echo printed | tee /dev/stdout
echo appended >>/dev/stdout
echo logged >/dev/stderr
while read -r line; do echo "got $line"; done </dev/stdin`;

/** Runs a script as a module, writes `input` to it, and waits for `count` lines. */
async function runWith(
  { supervisor, sh, texts }: SupervisorHarness,
  script: string,
  more: Partial<ModuleSpec>,
  count: number,
): Promise<string[]> {
  await supervisor.start([sh('m', script, more)]);
  supervisor.write('m', Buffer.from('one'), () => {});
  supervisor.write('m', Buffer.from('two'), () => {});
  await until('its lines are there', () => texts().length >= count);
  return texts();
}

for (const level of LEVELS) {
  for (const user of [undefined, 'dynamic']) {
    streams(
      `a module with sandbox ${level} and user ${user ?? 'default'} can reopen its standard streams by /dev/std*`,
      () =>
        withSupervisor(OUTSIDE_TMP, async harness => {
          const lines = await runWith(harness, REOPEN, { sandbox: level, user }, 8);
          assert.equal(lines, [
            'pipe',
            'pipe',
            'pipe',
            'printed',
            'printed',
            'appended',
            'got one',
            'got two',
          ]);
          await harness.supervisor.stop();
          assert.match(harness.logged('m'), / err logged\n$/);
        }),
    );
  }
}

streams('standard output of a module with io mqtt is a pipe, and its standard input is /dev/null', () =>
  withSupervisor({}, async ({ supervisor, sh, status, logged }) => {
    const script =
      'readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 | cut -d: -f1; echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin';
    await supervisor.start([sh('m', script, { io: 'mqtt' })]);
    await until('it has ended', () => status('m').state === 'ended');
    await supervisor.stop();
    assert.equal(logged('m').replace(/^\S+ /gm, '').split('\n').sort(), [
      '',
      'err err',
      'out /dev/null',
      'out out',
      'out pipe',
      'out pipe',
    ]);
  }),
);

streams('a module that runs bash does not read ~/.bashrc', () =>
  withSupervisor({}, async ({ supervisor, sh, status, texts, folder }) => {
    writeFileSync(join(folder, '.bashrc'), 'echo read >&1\n');
    const exec = ['bash', '-c', 'echo run'];
    await supervisor.start([sh('m', '', { exec, env: { HOME: folder } })]);
    if (status('m').lastExit?.includes('Command not found')) return skip('bash is not installed');
    await until('it has ended', () => status('m').state === 'ended');
    assert.equal(texts(), ['run']);
  }),
);

streams('exited and failed modules leave no open file descriptor', () =>
  withSupervisor({}, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('m', 'cat', { io: 'mqtt' })]);
    await until('it has ended', () => status('m').state === 'ended');
    const before = openFiles();
    const bad = sh('bad', '', { exec: ['./bad.sh'] });
    writeFileSync(join(bad.cwd, 'bad.sh'), '#!/no/such/interpreter\n', { mode: 0o755 });
    await supervisor.start([bad, sh('good', 'head -n 1')]);
    for (let round = 0; round < 5; round += 1) {
      await supervisor.restart('bad');
      assert.is(status('bad').state, 'failed');
      supervisor.write('good', Buffer.from('go'), () => {});
      await until('it has ended', () => status('good').state === 'ended');
      await supervisor.startModule('good');
    }
    supervisor.write('good', Buffer.from('go'), () => {});
    await until('it has ended', () => status('good').state === 'ended');
    assert.is(openFiles(), before);
  }),
);

streams.run();
