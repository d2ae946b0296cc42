import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bootId, runningProcess } from '../../../src/core/proc.ts';
import type { SupervisorHarness } from '../../harness/supervisor.ts';
import { isRunning, pidIn, until, withSupervisor } from '../../harness/supervisor.ts';

const HUB_PROCESS = join(import.meta.dirname, 'failing-start.ts');

/** Starts a hub that runs `scripts` as modules in the harness folders, and kills it once they run. */
async function startAndKillHub(
  { folder, runFolder }: SupervisorHarness,
  scripts: readonly string[],
): Promise<void> {
  const hub = spawn(process.execPath, [HUB_PROCESS, folder, runFolder, ...scripts], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(hub, 'exit');
  await Promise.race([once(hub.stdout, 'data'), exited]);
  hub.kill('SIGKILL');
  await exited;
}

const test = suite('supervisor: orphans');

test('the start after a crash of the hub kills all orphaned processes before any module starts', async () => {
  await withSupervisor({}, async harness => {
    const { supervisor, sh, folder, log, texts } = harness;
    await startAndKillHub(harness, [
      'trap "" TERM PIPE; echo $$ > leader; sleep 100 & echo $! > child; wait',
      'sh -c "trap \\"\\" PIPE; echo \\$\\$ > orphan; exec sleep 100" & sleep 0.2; echo $$ > dying; exec sleep 100',
      'setsid sh -c "echo \\$\\$ > daemon; exec sleep 100" & wait',
    ]);
    const files = ['leader', 'child', 'orphan', 'dying', 'daemon'];
    const pids = await Promise.all(files.map(file => pidIn(folder, file)));
    const dying = await pidIn(folder, 'dying');
    process.kill(dying, 'SIGKILL');
    await until('a leader has exited and its child has not', () => !isRunning(dying));
    assert.is(pids.filter(isRunning).length, files.length - 1);
    const look = pids.map(pid => `[ -e /proc/${pid}/exe ] && readlink /proc/${pid}/exe`).join('; ');
    await supervisor.start([sh('next', `${look}; echo looked; sleep 100`)]);
    assert.equal(pids.filter(isRunning), []);
    await until('the next has looked', () => texts().includes('looked'));
    assert.equal(texts(), ['looked']);
    assert.ok(log.some(text => /Killing \d+ orphaned processes/.test(text)));
  });
});

test('a process that has reused the pid of an exited module is never killed', async () => {
  const cases: readonly (readonly [string, number, string | undefined, boolean])[] = [
    ['another start', 1, bootId(), true],
    ['another boot', 0, '00000000-0000-0000-0000-000000000000', true],
    ['the same process', 0, bootId(), false],
  ];
  for (const [name, later, boot, survives] of cases) {
    await withSupervisor({}, async ({ supervisor, runFolder }) => {
      const stranger = spawn('sleep', ['100'], { detached: true, stdio: 'ignore' });
      const exited = once(stranger, 'exit');
      const pid = stranger.pid ?? 0;
      const started = (runningProcess(pid)?.started ?? 0) + later;
      mkdirSync(runFolder);
      writeFileSync(join(runFolder, 'processes'), `${boot}/1/1\n${pid} ${started}\n`);
      await supervisor.start([]);
      assert.is(isRunning(pid), survives, name);
      stranger.kill('SIGKILL');
      await exited;
    });
  }
});

test('an invalid record of running processes does not prevent the start of the hub', async () => {
  for (const text of ['', '\n', 'nonsense', `${bootId()}/1/1\n-1 0\n1\nx y\n 1 1`]) {
    await withSupervisor({}, async ({ supervisor, sh, status, runFolder }) => {
      mkdirSync(runFolder);
      writeFileSync(join(runFolder, 'processes'), text);
      await supervisor.start([sh('a', 'sleep 100')]);
      assert.is(status('a').state, 'running');
    });
  }
});

test('the record of running processes is empty after a stop of all modules', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, runFolder }) => {
    const notes = (): string[] =>
      readFileSync(join(runFolder, 'processes'), 'utf8').trim().split('\n').slice(1);
    await supervisor.start([sh('a', 'sleep 100'), sh('b', 'exit 0')]);
    await until('b has ended', () => status('b').state === 'ended');
    const pid = status('a').pid ?? 0;
    assert.equal(notes(), [`${pid} ${runningProcess(pid)?.started}`]);
    await supervisor.stop();
    assert.equal(notes(), []);
  });
});

test.run();
